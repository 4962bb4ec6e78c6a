// What is made of images of a list besides detections: slices, cut-out boxes, sheets and small copies.
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <tuple>

#include "dataset/test_support.h"
#include "detection/annotate.h"
#include "detection/slices.h"
#include "effdet/detect_images.h"
#include "effdet/thumbnail.h"
#include "vision/decode.h"
#include "vision/draw.h"
#include "vision/encode.h"
#include "vision/rgb_image.h"

namespace effdet::dataset {
namespace {

vision::Image patterned(int width, int height) {
  vision::Image image(width, height);
  for (size_t i = 0; i < image.pixels().size(); ++i) image.pixels()[i] = static_cast<uint8_t>(i * i / 997 + i / 31);
  return image;
}

ListedImage in_memory(const vision::Image& image, const std::string& name) {
  ListedImage listed{name + ".png", name + ".jpg"};
  listed.content = std::make_shared<const std::vector<std::byte>>(vision::encode_png(image));
  return listed;
}

std::vector<Detection> found_in(const vision::Image& image, const DetectImagesOptions& options = {}) {
  const std::vector<ListedImage> list{in_memory(image, "a")};
  return detect_images(list, tiny_model(), options, 1).images.at(0).detections;
}

/// Of the image and of each of its parts, as if they were images of their own, and then together.
std::vector<Detection> found_by_parts(const vision::Image& image, const SliceOptions& slices) {
  std::vector<Detection> all = found_in(image);
  for (const detection::Slice& slice : detection::slices_of(image.size(), slices))
    detection::add_found(all, found_in(image.part(slice.x1, slice.y1, slice.x2, slice.y2)), slice);
  return detection::merge_detections(std::move(all), slices, false, DetectOptions().max_detections);
}

void expect_same(const std::vector<Detection>& found, const std::vector<Detection>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ((std::array{found[i].x1, found[i].y1, found[i].x2, found[i].y2, found[i].score}),
              (std::array{expected[i].x1, expected[i].y1, expected[i].x2, expected[i].y2, expected[i].score}))
        << i;
}

TEST(ListPictures, SlicesAreLookedAtAsImagesOfTheirOwn) {
  const SliceOptions slices{.side = 96};
  const vision::Image image = patterned(200, 150);
  const std::vector<Detection> expected = found_by_parts(image, slices);
  EXPECT_FALSE(expected.empty());
  expect_same(found_in(image, {.slices = slices}), expected);
  const vision::Image small = patterned(96, 90);  // no larger than a slice
  expect_same(found_in(small, {.slices = slices}), found_in(small));
  EXPECT_EQ(error_of([&] { found_in(image, {.slices = {.side = 31}}); }).code(), ErrorCode::kUsage);
}

/// A gray one as a BMP of 24 bits, which is quick to read. Rows are multiples of 4 bytes.
std::string gray_bmp(int width, int height) {
  std::string bmp("BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", 18);
  const auto put = [&](int number) { bmp.append(reinterpret_cast<const char*>(&number), sizeof number); };
  put(width);
  put(height);
  put(24 << 16 | 1);
  bmp.resize(54);
  bmp.append(size_t{3} * static_cast<size_t>(width) * static_cast<size_t>(height), '\x5a');
  return bmp;
}

/// Above 64 MiB of pixels they are not kept while an image waits, but decoded once more. What is found in a plain image
/// is found in a smaller one: sides and slices are eight times as large, and all numbers are exact.
TEST(ListPictures, LargeImagesAreDecodedOnceMore) {
  const TestFolder folder("list_pictures");
  vision::Image small(512, 685);
  small.fill(0, 0, 512, 685, {0x5a, 0x5a, 0x5a});
  std::vector<Detection> expected = found_in(small, {.slices = {.side = 512}});
  for (Detection& d : expected) d.x1 *= 8, d.y1 *= 8, d.x2 *= 8, d.y2 *= 8;
  const std::vector<ListedImage> list{{(folder / "a.bmp").string(), "a.jpg"}, {(folder / "b.bmp").string(), "b.jpg"}};
  for (const ListedImage& listed : list) write_file(listed.file, gray_bmp(4096, 5480), /*sync=*/false);
  std::vector<std::string> told;
  DetectImagesOptions options{.slices = {.side = 4096}, .pictures = folder.path()};
  options.on_failure = [&](const ImageFailure& failure) { told.push_back(failure.message); };
  options.progress = [&](size_t done, size_t) {  // the other one is loaded by now, and not yet drawn
    if (done == 1) write_file(list[1].file, gray_bmp(40, 40));
  };
  const DetectImagesReport report = detect_images(list, tiny_model(), options, 1);
  ASSERT_EQ(report.images.size(), 1u);
  expect_same(report.images[0].detections, expected);
  EXPECT_EQ(read_image(folder / "a.jpg").height, 5480);
  EXPECT_FALSE(fs::exists(folder / "b.jpg"));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(contains(told[0], "b.bmp: it has changed while it was looked at")) << told[0];
}

/// The sides of the crops below a folder, by their names.
std::map<std::string, vision::ImageSize> crops_below(const fs::path& folder) {
  std::map<std::string, vision::ImageSize> sizes;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      sizes[entry.path().lexically_relative(folder).string()] = vision::read_image_size(entry.path());
  return sizes;
}

TEST(ListPictures, CropsAreWholePixelsOfBoxesWithinTheImage) {
  const TestFolder folder("list_pictures");
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const std::vector<Detection> found{
      {1.5f, 2.5f, 10.2f, 8, 0.9f, 1},       // grows to whole pixels
      {-5, -5, 1000, 1000, 0.9f, 2},         // cut to the image
      {40, 1, 45, 5, 0.9f, 1},               // outside
      {5, 5, 5, 9, 0.9f, 1},                 // nothing
      {9, 9, 4, 4, 0.9f, 1},                 // exchanged
      {nan, 1, 5, 5, 0.9f, 1},               // no box
      {1, 1, 5, nan, 0.9f, 1},               //
      {-infinity, 3, infinity, 6, 0.9f, 3},  // a stripe
      {0, 0, 3, 3, 0.9f, 4},
      {0, 0, 3, 3, 0.9f, 5},
      {0, 0, 3, 3, 0.9f, 9},
  };
  const std::vector<std::string> names{"cat", "a/b\\c:d*e?f\"g<h>i|j\nk", "", "..", ".hidden"};
  write_crops(folder / "crops", "x", vision::from_image(patterned(20, 10)), found, names);
  using Size = vision::ImageSize;
  EXPECT_EQ(crops_below(folder / "crops"), (std::map<std::string, Size>{{"cat/x_1.jpg", Size{10, 6}},
                                                                        {"a_b_c_d_e_f_g_h_i_j_k/x_2.jpg", Size{20, 10}},
                                                                        {"_/x_8.jpg", Size{20, 3}},
                                                                        {"_../x_9.jpg", Size{3, 3}},
                                                                        {"_.hidden/x_10.jpg", Size{3, 3}},
                                                                        {"class 9/x_11.jpg", Size{3, 3}}}));
}

TEST(ListPictures, CropsOfARunAreThoseOfItsDetections) {
  const TestFolder folder("list_pictures");
  const vision::Image image = patterned(120, 90);
  const std::vector<ListedImage> list{in_memory(image, "a")};
  const DetectImagesReport report = detect_images(list, tiny_model(), {.crops = folder / "run"}, 1);
  const DetectedImage& found = report.images.at(0);
  EXPECT_TRUE(found.picture.empty());
  write_crops(folder / "again", "a", vision::from_image(image), found.detections, report.class_names);
  const auto crops = crops_below(folder / "run");
  EXPECT_FALSE(crops.empty());
  EXPECT_EQ(crops, crops_below(folder / "again"));
  for (const auto& [name, size] : crops)
    EXPECT_EQ(read_file(folder / "run" / name), read_file(folder / "again" / name));
}

TEST(ListPictures, ASheetHasTheFirstImagesWithTheirBoxesOnTheSmallOnes) {
  const std::vector<std::string> names{"cat"};
  vision::Image large(480, 360), small(240, 180), other = patterned(50, 60);
  for (vision::Image* image : {&large, &small}) image->fill(0, 0, 480, 360, {40, 80, 120});
  const std::vector<ListedImage> list{in_memory(other, "skipped"), in_memory(large, "one"), in_memory(other, "two")};
  const std::vector<DetectedImage> found{{"one.png", "", 480, 360, {{100, 40, 300, 200, 0.5f, 1}}},
                                         {"two.png", "", 50, 60, {{5, 6, 30, 40, 0.75f, 2}}}};
  std::vector<vision::Image> cells{small, other};
  detection::draw(cells[0], std::vector<Detection>{{50, 20, 150, 100, 0.5f, 1}}, names);
  detection::draw(cells[1], found[1].detections, names);
  const std::vector<std::string> captions{"one", "two"};
  const vision::Image expected = vision::contact_sheet(cells, 8, 240, captions);
  const RgbImage sheet = contact_sheet_of(list, found, names);
  EXPECT_EQ(sheet.width, expected.width());
  EXPECT_TRUE(std::ranges::equal(sheet.pixels, expected.pixels()));
  const Error error = error_of([&] { contact_sheet_of(std::span(list).first(2), found, names); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_TRUE(contains(error.what(), "two.png is not in the list")) << error.what();
  EXPECT_EQ(error_of([&] { contact_sheet_of(list, {}, names); }).code(), ErrorCode::kUsage);
  const std::vector<ListedImage> many(kSheetImages + 2, list[2]);
  const std::vector<DetectedImage> found_in_many(many.size(), {"two.png", "", 50, 60, {}});
  const RgbImage whole = contact_sheet_of(many, found_in_many, names);
  EXPECT_EQ(whole.height, contact_sheet_of(many, std::span(found_in_many).first(kSheetImages), names).height);
}

class ThumbnailOf : public testing::Test {
 protected:
  Thumbnail of(const std::string& name, int width, int height, int side = 100) const {
    return image_thumbnail(data_, {.id = "7", .file_name = name, .width = width, .height = height}, side);
  }
  static vision::ImageSize size_of(const Thumbnail& thumbnail) {
    const RgbImage pixels = decode_image(std::as_bytes(std::span(thumbnail.jpeg)));
    return {pixels.width, pixels.height};
  }
  std::string refused(const std::string& name, int width, int height) const {
    return bad_input_message([&] { of(name, width, height); });
  }

  TestFolder folder_{"thumbnail"};
  DataSource data_;
  void SetUp() override {
    data_.images = folder_.path();
    data_.annotations = folder_ / "gt.json";
    const fs::path images = fs::path(EFFDET_SOURCE_DIR) / "testdata/images";
    for (const char* name : {"exif_6.jpg", "exif_3.jpg"}) fs::copy(images / name, folder_ / name);  // 24 x 16 as stored
    vision::Image image(400, 200);
    image.fill(0, 0, 400, 200, {200, 100, 50});
    write_file(folder_ / "a.png", vision::encode_png(image));
    write_file(folder_ / "line.png", vision::encode_png(vision::Image(300, 1)));
  }
};

TEST_F(ThumbnailOf, FitsIntoTheSquareAndTellsTheWholeSize) {
  const Thumbnail small = of("a.png", 400, 200);
  EXPECT_EQ(small.full_width, 400);
  EXPECT_EQ(small.full_height, 200);
  EXPECT_EQ(size_of(small), (vision::ImageSize{100, 50}));
  const RgbImage pixels = decode_image(std::as_bytes(std::span(small.jpeg)));
  EXPECT_NEAR(pixels.pixels[0], 200, 4);
  EXPECT_NEAR(pixels.pixels[1], 100, 4);
  EXPECT_NEAR(pixels.pixels[2], 50, 4);
  EXPECT_EQ(size_of(of("a.png", 0, 0, 1000)), (vision::ImageSize{400, 200}));
  EXPECT_EQ(size_of(of("a.png", 17, 0)), (vision::ImageSize{100, 50}));  // the annotations do not tell it
  EXPECT_EQ(size_of(of("line.png", 300, 1, 50)), (vision::ImageSize{50, 1}));
  EXPECT_EQ(error_of([&] { of("a.png", 400, 200, 0); }).code(), ErrorCode::kUsage);
}

TEST_F(ThumbnailOf, IsUprightWhereTheBoxesAre) {
  EXPECT_EQ(size_of(of("exif_6.jpg", 16, 24)), (vision::ImageSize{16, 24}));
  EXPECT_EQ(of("exif_6.jpg", 16, 24).full_width, 16);
  EXPECT_EQ(size_of(of("exif_6.jpg", 24, 16)), (vision::ImageSize{24, 16}));
  EXPECT_EQ(size_of(of("exif_6.jpg", 0, 0)), (vision::ImageSize{24, 16}));
  for (const auto& [name, width, height] :
       {std::tuple("exif_6.jpg", 16, 16), {"exif_6.jpg", 24, 24}, {"exif_3.jpg", 16, 24}})
    EXPECT_TRUE(
        contains(refused(name, width, height),
                 fmt::format("{}: the image has 24 x 16 pixels, the annotations say {} x {}", name, width, height)))
        << refused(name, width, height);
}

TEST_F(ThumbnailOf, NamesAreNotTrusted) {
  EXPECT_TRUE(contains(refused("", 0, 0), "image with id 7: it has no file_name that is one"));
  EXPECT_TRUE(contains(refused(std::string("a\0.png", 6), 0, 0), "no file_name that is one"));
  EXPECT_TRUE(contains(refused("../a.png", 0, 0), "file_name '../a.png' leads out of the folder of the images"));
  EXPECT_EQ(error_of([&] { of("none.png", 0, 0); }).code(), ErrorCode::kIo);
  data_.images.clear();
  data_.listed = {{(folder_ / "a.png").string(), ""}};
  EXPECT_EQ(of("val2017/a.png", 400, 200).full_width, 400);
  EXPECT_TRUE(contains(refused("exif_3.jpg", 24, 16), "image with id 7: 'exif_3.jpg' is not listed"));
}

}  // namespace
}  // namespace effdet::dataset
