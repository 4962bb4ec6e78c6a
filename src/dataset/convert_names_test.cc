// What images, categories, splits and folders may be called where a data set is converted.
#include <algorithm>
#include <map>

#include "dataset/dataset.h"
#include "dataset/format.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

TEST(Convert, KeepsTheNameOfTheSplit) {
  const std::map<std::string_view, std::string> kFiles{{"coco", "annotations/instances_train2017.json"},
                                                       {"lvis", "annotations/lvis_v1_train.json"},
                                                       {"voc", "ImageSets/Main/train.txt"},
                                                       {"yolo", "labels/train"},
                                                       {"openimages", "train-annotations-bbox.csv"}};
  for (const Format* format : formats()) {
    const TestFolder folder("convert");
    const fs::path root = small_data_set(folder, 2);
    fs::rename(annotations_of(root), root / "annotations/instances_train2017.json");
    fs::rename(root / "val2017", root / "train2017");
    DataSource data(root);
    data.split = "training";
    convert_dataset(data, folder / "out", {.format = std::string(format->name)});
    EXPECT_TRUE(fs::exists(folder / "out" / kFiles.at(format->name))) << format->name;
    for (const char* split : {"train", "night.v2"}) {
      DataSource written(folder / split);
      written.split = split;
      written.format = format->name;  // a split of another name than the usual ones is not recognised by itself
      convert_dataset(data, written.root, {.format = std::string(format->name), .split = split});
      const Dataset source(written);
      EXPECT_EQ(source.images().size(), 2u) << format->name;
      EXPECT_NO_THROW(source.open(*source.images()[0])) << format->name << ' ' << split;
    }
    EXPECT_EQ(
        convert_dataset(data, folder / "named", {.format = std::string(format->name), .split = "Az-09_b.c"}).images,
        2u);
    for (const char* split : {"../x", "a/b", ".", "a b", "a\n", "a{", "a[", "a^"})
      EXPECT_EQ(error_of([&] {
                  convert_dataset(data, folder / "new", {.format = std::string(format->name), .split = split});
                }).code(),
                ErrorCode::kUsage)
          << split;
    EXPECT_FALSE(fs::exists(folder / "new"));
  }
}

TEST(Convert, RefusesFoldersThatAreNotEmptyAndUnknownFormats) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 1);
  EXPECT_EQ(error_of([&] { convert_dataset(root, root, {.format = "voc"}); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { convert_dataset(root, folder / "out", {.format = "tf"}); }).code(), ErrorCode::kUsage);
  DataSource nameless(root);
  nameless.split.clear();
  EXPECT_EQ(error_of([&] { convert_dataset(nameless, folder / "out", {.format = "voc"}); }).code(), ErrorCode::kUsage);
  EXPECT_FALSE(fs::exists(folder / "out"));
  write_file(folder / "out", std::string("x"));
  const Error file = error_of([&] { convert_dataset(root, folder / "out", {.format = "voc"}); });
  EXPECT_EQ(file.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(file.what(), "out: it is no folder")) << file.what();
}

TEST(Convert, NamesThatWouldShareAFileOrCannotBeWritten) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 2);
  fs::rename(root / "val2017/000000000002.jpg", root / "val2017/000000000001.png");
  edit_annotations(root, [](auto& json) { json["images"][1]["file_name"] = "000000000001.png"; });
  EXPECT_TRUE(contains(bad_input_message([&] { convert_dataset(root, folder / "out", {.format = "yolo"}); }),
                       "images '000000000001.jpg' and '000000000001.png' differ only in their extensions, and yolo"));
  EXPECT_EQ(convert_dataset(root, folder / "coco", {.format = "coco"}).images, 2u);
  fs::rename(root / "val2017/000000000001.png", root / "val2017/a\x01.jpg");
  edit_annotations(root, [](auto& json) { json["images"][1]["file_name"] = "a\x01.jpg"; });
  EXPECT_TRUE(contains(bad_input_message([&] { convert_dataset(root, folder / "voc", {.format = "voc"}); }),
                       "'a\\x01.jpg': XML cannot hold this name"));
}

TEST(Convert, ImagesWithoutNamesAreLeftOut) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 3);
  edit_annotations(root, [](auto& json) { json["images"][0]["file_name"] = json["images"][2]["file_name"] = ""; });
  const ConvertReport report = convert_dataset(root, folder / "out", {.format = "coco"});
  EXPECT_EQ(report.images, 1u);
  ASSERT_EQ(report.failures.size(), 2u);
  EXPECT_TRUE(contains(report.failures[1].message, "image with id 3: it has no file_name that is one"));
}

TEST(Convert, NamesThatOpenImagesCannotHoldAreRefused) {
  const auto refused = [](const std::string& name) {
    const TestFolder folder("convert");
    const fs::path root = small_data_set(folder, 1);
    make_folder((root / "val2017" / name).parent_path());
    fs::rename(root / "val2017/000000000001.jpg", root / "val2017" / name);
    edit_annotations(root, [&](auto& json) { json["images"][0]["file_name"] = name; });
    return bad_input_message([&] { convert_dataset(root, folder / "out", {.format = "openimages"}); });
  };
  EXPECT_TRUE(contains(refused("sub/a.jpg"), "'sub/a.jpg': images of Open Images lie in one folder"));
  EXPECT_TRUE(contains(refused("a.jpe"), "'a.jpe': images of Open Images"));
  EXPECT_TRUE(contains(refused("a\nb.jpg"), "cannot hold names with line ends"));
  EXPECT_TRUE(contains(refused(".a.jpg"), "'.a' is no id of an image"));
}

TEST(Convert, NamesThatNeedEscapes) {
  const TestFolder folder("convert");
  const fs::path root = small_data_set(folder, 1);
  const std::string name = "a & \"b\" <c>: #d";
  edit_annotations(root, [&](auto& json) { json["categories"][0]["name"] = name; });
  for (const char* format : {"yolo", "voc", "openimages"}) {
    edit_annotations(root, [&](auto& json) { json["annotations"][0]["category_id"] = json["categories"][0]["id"]; });
    convert_dataset(root, folder / format, {.format = format});
    const Dataset after(folder / format);
    EXPECT_TRUE(std::ranges::any_of(after.truth().categories, [&](const auto& c) { return c.name == name; })) << format;
  }
}

}  // namespace
}  // namespace effdet::dataset
