// Images of the public API: pixels that do not fit their size, names, files, thumbnails and sheets.
#include "vision/rgb_image.h"

#include <gtest/gtest.h>

#include "effdet/encoded_image.h"
#include "effdet/image_view.h"
#include "support/test_folder.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

/// Every pixel another colour.
RgbImage coloured(int width, int height) {
  RgbImage image{width, height, {}};
  for (int i = 0; i < width * height; ++i)
    for (const int factor : {3, 5, 7}) image.pixels.push_back(static_cast<unsigned char>(factor * i));
  return image;
}

TEST(RgbImage, IsWrittenByTheNameOfItsFile) {
  const test::TestFolder folder("rgb_image");
  const RgbImage image = coloured(24, 16);
  for (const char* name : {"a.png", "A.PNG"}) {
    write_image(folder / name, image);
    EXPECT_EQ(read_image(folder / name).pixels, image.pixels);
  }
  for (const char* name : {"a.jpg", "a.JPEG"}) {
    write_image(folder / name, image);
    const RgbImage back = effdet::decode_image(bytes_of(read_file(folder / name)));
    EXPECT_EQ(back.width, 24);
    EXPECT_EQ(back.height, 16);
    EXPECT_EQ(read_file(folder / name).substr(0, 3), "\xFF\xD8\xFF");
  }
  for (const char* name : {"a.bmp", "a", "png"}) {
    const Error error = error_of([&] { write_image(folder / name, image); });
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_EQ(error.what(), (folder / name).string() + ": images are written as .jpg or .png");
  }
}

TEST(RgbImage, PixelsThatDoNotFitTheSizeAreRefused) {
  for (const RgbImage& image : {RgbImage{2, 2, std::vector<unsigned char>(11)}, RgbImage{2, -2, {}}, RgbImage{0, 4, {}},
                                RgbImage{-1, -1, {1, 2, 3}}}) {
    const std::string message = error_of([&] { view_of(image); }).what();
    EXPECT_TRUE(message.starts_with("an image of " + std::to_string(image.width) + " x " +
                                    std::to_string(image.height) + " pixels with " +
                                    std::to_string(image.pixels.size()) + " bytes, not "))
        << message;
    EXPECT_EQ(error_of([&] { effdet::thumbnail(image, 4); }).code(), ErrorCode::kUsage);
    EXPECT_EQ(error_of([&] { effdet::encode_jpeg(image); }).code(), ErrorCode::kUsage);
  }
}

TEST(RgbImage, IsAViewOfItself) {
  const RgbImage image = coloured(5, 3);
  const ImageView view = view_of(image);
  EXPECT_EQ(view.data, image.pixels.data());
  EXPECT_EQ(to_rgb(view).pixels, image.pixels);
}

TEST(RgbImage, NamesOfFilesThatAreRead) {
  for (const char* name : {"a.jpg", "b/C.JPEG", "x.y.Png", "a.bmp", "a.gif", "a.jfif", "a.JPE", "a.mpo", "a.apng"})
    EXPECT_TRUE(is_image_name(name)) << name;
  for (const char* name : {"jpg", "a.jpg.txt", "a.", "", ".png", "a.svg"}) EXPECT_FALSE(is_image_name(name)) << name;
  EXPECT_TRUE(image_extensions().starts_with(".jpg, .jpeg, .jfif, .jpe, .mpo, .png, .apng, .bmp, .gif"))
      << image_extensions();
}

TEST(RgbImage, ThumbnailsAndSheetsKeepPixelsThatFit) {
  const RgbImage image = coloured(24, 16);
  EXPECT_EQ(effdet::thumbnail(image, 24).pixels, image.pixels);
  const RgbImage small = effdet::thumbnail(image, 12);
  EXPECT_EQ(small.width, 12);
  EXPECT_EQ(small.height, 8);
  EXPECT_EQ(effdet::thumbnail(coloured(100, 1), 10).height, 1) << "a side of a pixel at least";
  EXPECT_STREQ(error_of([&] { effdet::thumbnail(image, 0); }).what(), "a thumbnail of 0 pixels a side");

  const RgbImage sheet = effdet::contact_sheet(std::span(&image, 1), 5, 32, {});
  ASSERT_EQ(sheet.width, 32 + 2 * 6);
  ASSERT_EQ(sheet.height, 32 + 2 * 6);
  const auto pixel = [&](int x, int y) {
    const auto at = sheet.pixels.begin() + 3 * (y * sheet.width + x);
    return std::vector<int>(at, at + 3);
  };
  EXPECT_EQ(pixel(6 + 4, 6 + 8), (std::vector<int>{0, 0, 0})) << "the first pixel, with the image in the middle";
  EXPECT_EQ(pixel(6 + 5, 6 + 8), (std::vector<int>{3, 5, 7}));
  EXPECT_EQ(pixel(0, 0), (std::vector<int>{32, 34, 38})) << "the background";
}

/// Pictures turn as EXIF says; the check sees the size that the file has.
TEST(RgbImage, UprightIsTurnedBehindTheCheck) {
  for (const char* name : {"exif_6.jpg", "exif_6.webp", "exif_6.avif"}) {
    if (!is_image_name(name)) continue;
    const std::string file = sample(name);
    const RgbImage stored = effdet::decode_image(bytes_of(file)), turned = decode_upright(bytes_of(file));
    EXPECT_EQ(turned.width, stored.height) << name;
    EXPECT_EQ(turned.height, stored.width) << name;
    EncodedSize seen;
    decode_upright(bytes_of(file), name, [&](EncodedSize size) { seen = size; });
    EXPECT_EQ(seen.width, stored.width);
    EXPECT_EQ(seen.height, stored.height);
    EXPECT_THROW(decode_upright(bytes_of(file), name, [](EncodedSize) { throw std::runtime_error("too large"); }),
                 std::runtime_error);
  }
}

}  // namespace
}  // namespace effdet::vision
