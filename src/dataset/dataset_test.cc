// Which images of a data set are used, and errors for those that cannot be.
#include "dataset/dataset.h"

#include <zlib.h>

#include "dataset/test_support.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

vision::Image load(const Dataset& source, size_t i) { return vision::whole_image(*source.open(*source.images()[i])); }

TEST(Dataset, SortsByIdSkipsSmallSidesAndKeepsImagesWithoutBoxes) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 4);
  edit_annotations(root, [](auto& json) {
    std::reverse(json["images"].begin(), json["images"].end());
    json["images"][1]["width"] = 31;  // id 3
    json["annotations"] = nlohmann::json::array();
  });
  const Dataset source(root);
  std::vector<int64_t> ids;
  for (const eval::ImageRecord* image : source.images()) ids.push_back(image->id);
  EXPECT_EQ(ids, (std::vector<int64_t>{1, 2, 4}));
  EXPECT_EQ(source.skipped(), std::vector<std::string>{"000000000003.jpg"});
}

TEST(Dataset, RefusesADataSetWithoutImages) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 1);
  edit_annotations(root, [](auto& json) { json["images"][0]["height"] = 8; });
  EXPECT_TRUE(contains(bad_input_message([&] { Dataset{root}; }), "no images"));
}

TEST(Dataset, NamesTheMissingAnnotationFile) {
  const TestFolder folder("dataset");
  const Error error = error_of([&] { Dataset{folder.path()}; });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "instances_val2017.json"));
}

TEST(Dataset, NamesTheMissingFolderOfImages) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 2);
  fs::remove_all(root / "val2017");
  const Error error = error_of([&] { validate_dataset(root, tiny_model(), {}); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "val2017: no folder of that name, where the data set's images should be"))
      << error.what();
  edit_annotations(root, [](auto& json) {  // images without names share no files
    for (auto& image : json["images"]) image["file_name"] = "";
  });
  EXPECT_NO_THROW(Dataset(root).require_unique_stems());
}

TEST(Dataset, RefusesImagesThatWouldShareFiles) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 2);
  edit_annotations(root, [](auto& json) { json["images"][1]["file_name"] = "other/000000000001.png"; });
  const std::string message = bad_input_message([&] { Dataset(root).require_unique_stems(); });
  EXPECT_TRUE(contains(message, "000000000001.jpg") && contains(message, "other/000000000001.png")) << message;
}

TEST(BadInput, Case84_AnnotatedSizeIsNotTheImages) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 1);
  edit_annotations(root, [](auto& json) { json["images"][0]["width"] = 5000; });
  const Dataset source(root);
  const std::string message = bad_input_message([&] { source.open(*source.images()[0]); });
  EXPECT_TRUE(contains(message, "000000000001.jpg: the image has ") && contains(message, "says 5000 x ")) << message;
}

TEST(Dataset, TakesSizesThatTheAnnotationsDoNotTellFromTheImages) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 3);
  const nlohmann::json before = load_json(annotations_of(root));
  edit_annotations(root, [](auto& json) {
    json["images"][0].erase("width");
    json["images"][1]["height"] = 100.5;
    json["images"][2]["width"] = nullptr;
    json["images"][2]["file_name"] = "missing.jpg";
  });
  const Dataset source(root);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(source.images().at(i)->width, before["images"][i]["width"]);
    EXPECT_EQ(source.images().at(i)->height, before["images"][i]["height"]);
    load(source, i);
  }
  EXPECT_EQ(source.images().at(2)->width, 0);
  EXPECT_EQ(error_of([&] { load(source, 2); }).code(), ErrorCode::kIo);
}

TEST(Dataset, SaysWhatIsLeftOut) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 3);
  edit_annotations(root, [](auto& json) {
    json["images"][1]["width"] = 31;
    json["annotations"][0]["bbox"] = {0, 0, -1, 5};
  });
  const auto notes = Dataset(root).notes();
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_TRUE(contains(notes[0], "annotations left out: box with a negative side")) << notes[0];
  EXPECT_TRUE(
      contains(notes[1], "1 of 3 images left out, as in effdet: a side is under 32 pixels ('000000000002.jpg')"))
      << notes[1];
}

/// An image whose EXIF data say that it is to be turned.
void write_turned(const fs::path& path, const vision::Image& pixels, int orientation) {
  const auto plain = vision::encode_png(pixels);
  std::string png(reinterpret_cast<const char*>(plain.data()), plain.size());
  std::string chunk("eXIfMM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0 \0\0\0\0\0\0", 30);
  chunk[23] = static_cast<char>(orientation);
  const uint32_t crc = static_cast<uint32_t>(
      ::crc32(0, reinterpret_cast<const unsigned char*>(chunk.data()), static_cast<unsigned>(chunk.size())));
  std::string trailer;
  for (int shift = 24; shift >= 0; shift -= 8) trailer.push_back(static_cast<char>(crc >> shift));
  png.insert(33, std::string("\0\0\0\x1a", 4) + chunk + trailer);  // after IHDR
  write_file(path, png);
}

TEST(Dataset, TurnsImagesThatWereAnnotatedUpright) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 3);
  vision::Image stored(64, 48);
  for (size_t i = 0; i < stored.pixels().size(); ++i) stored.pixels()[i] = static_cast<uint8_t>(i * 7);
  edit_annotations(root, [](auto& json) {
    for (auto& image : json["images"])
      image["file_name"] = image["id"].template get<int>() == 3 ? "half.png" : "quarter.png";
    json["images"][0].update({{"width", 48}, {"height", 64}});  // as the image is to be seen
    json["images"][1].update({{"width", 64}, {"height", 48}});  // as it is stored, which effdet takes, too
    json["images"][2].update({{"width", 64}, {"height", 48}});
  });
  write_turned(root / "val2017/quarter.png", stored, 6);
  write_turned(root / "val2017/half.png", stored, 3);
  const Dataset source(root);
  const vision::Image turned = load(source, 0), kept = load(source, 1);
  EXPECT_EQ(turned.width(), 48);
  for (int y = 0; y < turned.height(); ++y)  // a quarter to the right
    for (int x = 0; x < turned.width(); ++x)
      ASSERT_EQ(turned.row(y)[3 * x], stored.row(stored.height() - 1 - x)[3 * y]) << x << ' ' << y;
  EXPECT_TRUE(std::ranges::equal(kept.pixels(), stored.pixels()));
  EXPECT_EQ(source.orientation_notes().size(), 1u);
  EXPECT_TRUE(std::ranges::equal(load(source, 2).pixels(), stored.pixels()));
  const auto notes = source.orientation_notes();
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_TRUE(contains(notes[0], "1 of 3 images were turned upright by their EXIF orientation")) << notes[0];
  EXPECT_TRUE(contains(notes[1], "1 of 3 images have an EXIF orientation, but were taken as they are stored"))
      << notes[1];
}

TEST(Dataset, ASquareImageIsTakenAsItIsStored) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 2);
  vision::Image stored(64, 64);
  for (size_t i = 0; i < stored.pixels().size(); ++i) stored.pixels()[i] = static_cast<uint8_t>(i * 7);
  write_turned(root / "val2017/000000000001.jpg", stored, 6);
  write_turned(root / "val2017/000000000002.jpg", vision::Image(64, 48), 6);
  edit_annotations(root, [](auto& json) {
    json["images"][0].update({{"width", 64}, {"height", 64}});
    json["images"][1].update({{"width", 48}, {"height", 64}});
  });
  const Dataset source(root);
  EXPECT_TRUE(std::ranges::equal(load(source, 0).pixels(), stored.pixels()));
  EXPECT_TRUE(source.orientation_notes().empty());
  load(source, 1);  // others were annotated upright, and so this one may have been
  const auto notes = source.orientation_notes();
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_TRUE(contains(notes[1], "1 of 2 images have an EXIF orientation, but were taken as they are stored"));
  for (const auto& [width, height] : {std::pair(48, 65), {49, 64}, {64, 49}, {63, 48}}) {
    edit_annotations(root, [&](auto& json) { json["images"][1].update({{"width", width}, {"height", height}}); });
    const Dataset other(root);
    EXPECT_TRUE(contains(bad_input_message([&] { load(other, 1); }), "correct size and boxes in the annotation file"));
  }
}

TEST(BadInput, Case84_ExchangedSidesWithoutAnExifOrientation) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 1);
  write_file(root / "val2017/000000000001.jpg", vision::encode_png(vision::Image(64, 48)));
  edit_annotations(root, [](auto& json) { json["images"][0].update({{"width", 48}, {"height", 64}}); });
  const Dataset source(root);
  const std::string message = bad_input_message([&] { load(source, 0); });
  EXPECT_TRUE(contains(message, "turned after it was annotated")) << message;
  write_turned(root / "val2017/000000000001.jpg", vision::Image(64, 48), 3);
  EXPECT_EQ(error_of([&] { load(source, 0); }).code(), ErrorCode::kBadInput);
}

TEST(Dataset, NoFileOfItIsWrittenOver) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 2);
  const std::string annotations = read_file(annotations_of(root));
  fs::create_symlink(annotations_of(root), folder / "link.json");
  const auto refused = [&](const fs::path& output) {
    EXPECT_EQ(error_of([&] { validate_dataset(root, tiny_model(), {.results = output}); }).code(), ErrorCode::kUsage)
        << output;
  };
  refused(annotations_of(root));
  refused(root / "val2017/../annotations/instances_val2017.json");
  refused(folder / "link.json");
  refused(root / "val2017/000000000002.jpg");
  EXPECT_EQ(read_file(annotations_of(root)), annotations);
  // What is not the data set's may lie there, and is replaced the next time.
  for (int round = 0; round < 2; ++round)
    EXPECT_NO_THROW(validate_dataset(root, tiny_model(), {.results = root / "annotations/results.json"}));
  for (const char* format : {"voc", "yolo"}) {
    convert_dataset(root, folder / format, {.format = format});
    const Dataset written(folder / format);
    size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder / format)) {
      if (!entry.is_regular_file()) continue;
      ++files;
      EXPECT_EQ(error_of([&] { written.require_other_file(entry.path()); }).code(), ErrorCode::kUsage) << entry.path();
    }
    EXPECT_GE(files, 4u);
    EXPECT_NO_THROW(written.require_other_file(folder / format / "results.json"));
  }
}

TEST(BadInput, Case87_FileNameThatLeadsOutOfTheFolder) {
  const TestFolder folder("dataset");
  const fs::path root = small_data_set(folder, 1);
  for (const char* name : {"../../x.jpg", "/etc/passwd", "a/../../b.jpg", "..", "a/.."}) {
    edit_annotations(root, [&](auto& json) { json["images"][0]["file_name"] = name; });
    const Dataset source(root);
    const std::string message = bad_input_message([&] { load(source, 0); });
    EXPECT_TRUE(contains(message, "image with id 1: file_name") && contains(message, "leads out of")) << message;
  }
  for (const nlohmann::json& name :
       {nlohmann::json(""), nlohmann::json(nullptr), nlohmann::json(std::string("a\0.jpg", 6))}) {
    edit_annotations(root, [&](auto& json) { json["images"][0]["file_name"] = name; });
    const Dataset source(root);
    EXPECT_TRUE(contains(bad_input_message([&] { load(source, 0); }), "no file_name that is one"));
  }
}

}  // namespace
}  // namespace effdet::dataset
