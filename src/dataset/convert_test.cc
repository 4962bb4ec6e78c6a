// From each format to each and back: ids and boxes are those of the beginning, or a note says what is not.
#include <algorithm>

#include "dataset/dataset.h"
#include "dataset/format.h"
#include "dataset/test_support.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

bool has_note(const ConvertReport& report, std::string_view text) {
  return std::ranges::any_of(report.notes, [&](const std::string& note) { return contains(note, text); });
}

/// Boxes by file name, in the order of the file.
std::vector<std::array<double, 4>> boxes_of(const Dataset& source) {
  std::vector<std::array<double, 4>> boxes;
  for (const eval::ImageRecord* image : source.images())
    for (const eval::Annotation& annotation : source.truth().annotations)
      if (annotation.image_id == image->id) boxes.push_back(annotation.bbox);
  return boxes;
}

TEST(Convert, ThereAndBackIsTheSame) {
  for (const Format* format : formats()) {
    if (format->write == nullptr) continue;
    const TestFolder folder("convert");
    const fs::path root = small_data_set(folder, 3);
    edit_annotations(root, [](auto& json) {
      json["images"][1]["id"] = 2;
      json["annotations"][0]["bbox"] = {10.25, 7.13, 20.31, 11.07};
      json["annotations"][0]["area"] = 20.31 * 11.07;
    });
    const Dataset before(root);
    ConvertReport report = convert_dataset(root, folder / "there", {.format = std::string(format->name)});
    EXPECT_EQ(report.images, 3u);
    EXPECT_EQ(report.annotations, before.truth().annotations.size());
    EXPECT_FALSE(has_note(report, "hold boxes")) << format->name << ": " << report.notes.back();
    EXPECT_FALSE(has_note(report, "ids of images")) << format->name;
    EXPECT_EQ(&format_of(folder / "there"), format);
    convert_dataset(folder / "there", folder / "back", {.format = "coco", .link = true});
    const Dataset after(folder / "back");
    EXPECT_EQ(boxes_of(after), boxes_of(before)) << format->name;
    ASSERT_EQ(after.images().size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(after.images()[i]->id, before.images()[i]->id);
      EXPECT_NO_THROW(after.open(*after.images()[i]));
    }
  }
}

TEST(Convert, SaysWhatAFormatDoesNotHold) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 2);
  edit_annotations(root, [](auto& json) {
    json["annotations"][0]["iscrowd"] = 1;
    json["annotations"][1]["bbox"] = {-5, 4, 30, 20};
    json["annotations"][1]["area"] = 17;
    for (auto& category : json["categories"]) category["id"] = category["id"].template get<int>() * 10;
    for (auto& annotation : json["annotations"])
      annotation["category_id"] = annotation["category_id"].template get<int>() * 10;
  });
  const ConvertReport yolo = convert_dataset(root, folder / "yolo", {.format = "yolo"});
  EXPECT_TRUE(has_note(yolo, "yolo does not hold crowds: 1 left out"));
  EXPECT_TRUE(has_note(yolo, "outside of an image: 1 boxes cut"));
  EXPECT_TRUE(has_note(yolo, "ids of categories"));
  EXPECT_TRUE(has_note(yolo, "ids of annotations"));
  const ConvertReport voc = convert_dataset(root, folder / "voc", {.format = "voc"});
  EXPECT_FALSE(has_note(voc, "crowds") || has_note(voc, "outside"));
  EXPECT_TRUE(has_note(voc, "areas other than"));
  const ConvertReport open_images = convert_dataset(root, folder / "openimages", {.format = "openimages"});
  EXPECT_FALSE(has_note(open_images, "crowds"));
  EXPECT_TRUE(has_note(open_images, "outside of an image: 1 boxes cut"));
  EXPECT_TRUE(has_note(open_images, "ids of categories"));
  const ConvertReport coco = convert_dataset(root, folder / "coco", {.format = "coco"});
  EXPECT_TRUE(coco.notes.empty()) << coco.notes.front();
}

TEST(Convert, ImagesThatCannotBeReadAreLeftOut) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 3);
  fs::remove(root / "val2017/000000000002.jpg");
  const ConvertReport report = convert_dataset(root, folder / "out", {.format = "yolo"});
  EXPECT_EQ(report.images, 2u);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_TRUE(contains(report.failures[0].message, "000000000002.jpg"));
}

/// Normalised coordinates would be of another size than the image's.
TEST(Convert, AnImageOfAnotherSizeThanItsAnnotationsIsLeftOut) {
  for (const char* format : {"yolo", "openimages", "voc", "coco"}) {
    const TestFolder folder("convert");
    const fs::path root = small_data_set(folder, 2);
    edit_annotations(root, [](auto& json) { json["images"][0]["width"] = 1000000000; });
    const ConvertReport report = convert_dataset(root, folder / "out", {.format = format});
    EXPECT_EQ(report.images, 1u) << format;
    ASSERT_EQ(report.failures.size(), 1u) << format;
    EXPECT_TRUE(contains(report.failures[0].message, "says 1000000000 x")) << report.failures[0].message;
  }
}

TEST(Convert, FaultsOfTheInputNameTheInput) {
  const auto refused = [](auto edit) {
    const TestFolder folder("convert");
    const fs::path root = small_data_set(folder, 2);
    edit_annotations(root, edit);
    const std::string message = bad_input_message([&] { convert_dataset(root, folder / "out", {.format = "yolo"}); });
    EXPECT_TRUE(contains(message, "annotations/instances_val2017.json: ")) << message;
    EXPECT_TRUE(fs::is_empty(folder / "out"));
    return message;
  };
  EXPECT_TRUE(contains(refused([](auto& json) { json["images"][1]["file_name"] = json["images"][0]["file_name"]; }),
                       "the images with ids 1 and 2 have one file_name: '000000000001.jpg'"));
  EXPECT_TRUE(contains(refused([](auto& json) { json["categories"][0]["name"] = "a\tb"; }),
                       "its name 'a\\x09b' has control characters"));
  EXPECT_TRUE(contains(refused([](auto& json) {
                         json["categories"] = nlohmann::json::array();
                         json["annotations"] = nlohmann::json::array();
                       }),
                       "no categories, which yolo needs"));
}

TEST(Convert, CategoriesOfOneNameKeepTheirIds) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 2);
  edit_annotations(root, [](auto& json) { json["categories"][1]["name"] = json["categories"][0]["name"]; });
  for (const char* format : {"coco", "yolo"})
    EXPECT_FALSE(has_note(convert_dataset(root, folder / format, {.format = format}), "ids of categories")) << format;
}

TEST(Convert, NamesWithBlanksComeBackFromVoc) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 2);
  fs::rename(root / "val2017/000000000002.jpg", root / "val2017/2  b.jpg");
  edit_annotations(root, [](auto& json) { json["images"][1]["file_name"] = "2  b.jpg"; });
  convert_dataset(root, folder / "voc", {.format = "voc"});
  EXPECT_EQ(Dataset(folder / "voc").images().at(1)->file_name, "2  b.jpg");
}

TEST(Convert, LeavesNothingWhereItFails) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 2);
  fs::rename(root / "val2017/000000000002.jpg", root / "val2017/2 \"b.jpg");
  edit_annotations(root, [](auto& json) { json["images"][1]["file_name"] = "2 \"b.jpg"; });
  const std::string message = bad_input_message([&] { convert_dataset(root, folder / "out", {.format = "voc"}); });
  EXPECT_TRUE(contains(message, "'2 \"b': lists of VOC cannot hold names with blanks and quotes")) << message;
  EXPECT_TRUE(fs::is_empty(folder / "out"));
}

TEST(Convert, ImagesInTarFilesAreCopiedAndNotLinked) {
  const TestFolder folder("convert");
  DataSource data(small_data_set(folder, 2));
  const std::string first = read_file(data.root / "val2017/000000000001.jpg");
  write_file(folder / "s.tar", "header" + first);  // only the place in the file counts
  data.listed = {{(folder / "s.tar").string(), "", "000000000001.jpg", 6, first.size()},
                 {(data.root / "val2017/000000000002.jpg").string(), ""}};
  std::vector<size_t> done;
  const ConvertReport report =
      convert_dataset(data, folder / "out", {.format = "yolo"}, [&](size_t number, size_t) { done.push_back(number); });
  EXPECT_EQ(report.images, 2u);
  EXPECT_EQ(done, (std::vector<size_t>{1, 2}));
  EXPECT_EQ(read_file(folder / "out/images/val/000000000001.jpg"), first);
  const Error error = error_of([&] { convert_dataset(data, folder / "links", {.format = "yolo", .link = true}); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_TRUE(contains(error.what(), "s.tar/000000000001.jpg: no link leads into a tar file")) << error.what();
  EXPECT_TRUE(fs::is_empty(folder / "links"));
}

TEST(Convert, AnnotationsWithoutNumbersAreNumbered) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 2);
  edit_annotations(root, [](auto& json) {
    json["annotations"][0]["id"] = "first";
    json["annotations"][1].erase("id");
  });
  const ConvertReport report = convert_dataset(root, folder / "out", {.format = "coco"});
  EXPECT_TRUE(has_note(report, "annotations whose ids are no numbers, or missing: they are numbered anew"));
  const nlohmann::json written = load_json(annotations_of(folder / "out"))["annotations"];
  for (size_t i = 0; i < written.size(); ++i) EXPECT_EQ(written[i]["id"], i + 1);
  edit_annotations(root, [](auto& json) { json["annotations"][0].erase("id"); });
  EXPECT_TRUE(has_note(convert_dataset(root, folder / "missing", {.format = "coco"}), "they are numbered anew"));
}

TEST(Convert, IdsOfImagesThatTheirNamesAreNotAreOthers) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 3);
  edit_annotations(root, [](auto& json) {
    json["images"][1]["id"] = 77;
    for (auto& annotation : json["annotations"])
      if (annotation["image_id"] == 2) annotation["image_id"] = 77;
  });
  EXPECT_TRUE(has_note(convert_dataset(root, folder / "yolo", {.format = "yolo"}),
                       "yolo does not hold ids of images: 1 of 3 are others"));
  EXPECT_FALSE(has_note(convert_dataset(root, folder / "coco", {.format = "coco"}), "ids of images"));
}

TEST(Convert, TellsWhichImagesProgramsOfTheFormatPassOver) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 3);
  fs::rename(root / "val2017/000000000001.jpg", root / "val2017/000000000001.PNG");
  write_file(root / "val2017/000000000002.ppm", "P5 32 32 255\n" + std::string(32 * 32, 'x'));
  edit_annotations(root, [](auto& json) {
    json["images"][0]["file_name"] = "000000000001.PNG";
    json["images"][1].update({{"file_name", "000000000002.ppm"}, {"width", 32}, {"height", 32}});
  });
  const ConvertReport report = convert_dataset(root, folder / "yolo", {.format = "yolo"});
  EXPECT_TRUE(has_note(report, "pass over 1 of 3 (the first is '000000000002.ppm')"));
  EXPECT_FALSE(has_note(convert_dataset(root, folder / "voc", {.format = "voc"}), "pass over"));
  EXPECT_EQ(Dataset(folder / "yolo").images().size(), 3u);  // ours does not
}

TEST(Convert, NamesThatAreIdsBecomeNumbersWhereThatIsWanted) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 3);
  edit_annotations(root, [](auto& json) {
    for (auto& image : json["images"]) image["id"] = 4 - image["id"].template get<int>();
    for (auto& image : json["images"]) image["id"] = fmt::format("x{}", image["id"].template get<int>());
    for (auto& box : json["annotations"]) box["image_id"] = fmt::format("x{}", 4 - box["image_id"].template get<int>());
  });
  for (const char* format : {"coco", "lvis"}) {
    const ConvertReport names = convert_dataset(root, folder / format, {.format = format});
    EXPECT_TRUE(has_note(names, "ids of images are names")) << format;
    EXPECT_EQ(Dataset(folder / format).truth().image_ids.json_of(Dataset(folder / format).images()[0]->id), "\"x1\"");
    const fs::path numbered = folder / (std::string(format) + "_numbered");
    const ConvertReport numbers = convert_dataset(root, numbered, {.format = format, .number_images = true});
    EXPECT_FALSE(has_note(numbers, "ids of images")) << format;
    const Dataset source(numbered);
    EXPECT_EQ(boxes_of(source), boxes_of(Dataset(root)));
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(source.images()[i]->id, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(source.images()[0]->file_name, Dataset(root).images()[0]->file_name);
  }
  EXPECT_FALSE(has_note(convert_dataset(root, folder / "yolo", {.format = "yolo"}), "ids of images are names"));
}

TEST(Convert, TellsHowImagesWereTurned) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 1);
  vision::Image wide(64, 40);
  wide.fill(0, 0, 64, 40, {1, 2, 3});
  const std::vector<std::byte> plain = vision::encode_jpeg(wide);
  std::string jpeg(reinterpret_cast<const char*>(plain.data()), plain.size());
  jpeg.insert(2, std::string("\xff\xe1\0\x22"
                             "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
                             36));
  write_file(root / "val2017/000000000001.jpg", jpeg);
  edit_annotations(root, [](auto& json) { json["images"][0].update({{"width", 40}, {"height", 64}}); });
  EXPECT_TRUE(has_note(convert_dataset(root, folder / "out", {.format = "coco"}), "1 of 1 images were turned upright"));
  const PreprocessReport report = preprocess_dataset(root, folder / "bins", {"tf_efficientdet_d0", 128, 128});
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_TRUE(contains(report.notes[0], "1 of 1 images were turned upright")) << report.notes[0];
}

/// Datumaro, with which CVAT imports data sets, wants them.
TEST(Convert, WhatDatumaroWantsBesideAnnotations) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 1);
  edit_annotations(root, [](auto& json) { json["categories"] = {{{"id", 1}, {"name", "big dog"}}}; });
  convert_dataset(root, folder / "voc", {.format = "voc"});
  EXPECT_EQ(read_file(folder / "voc/labelmap.txt"), "# label:color_rgb:parts:actions\nbig dog:::\n");
  convert_dataset(root, folder / "openimages", {.format = "openimages"});
  EXPECT_EQ(read_file(folder / "openimages/validation-images-with-rotation.csv"),
            "ImageID,Subset\n000000000001,validation\n");
}

/// Ultralytics would take a relative one from where it runs, and takes the file's folder without one.
TEST(Convert, YolosFileHasNoPathOfItsOwn) {
  const TestFolder folder("convert");
  convert_dataset(small_data_set(folder, 1), folder / "out", {.format = "yolo"});
  EXPECT_FALSE(contains(read_file(folder / "out/data.yaml"), "path:"));
}

}  // namespace
}  // namespace effdet::dataset
