// Where YOLO's files lie: descriptions and lists of names by their names, splits, lists, and what is named in vain.
#include "dataset/dataset.h"
#include "dataset/format.h"
#include "dataset/test_support.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

struct YoloPlace {
  const char *description, *text, *image, *labels;
};

/// An image of 200 x 100 pixels with a box of class 1 in its centre.
void write_place(const fs::path& root, const YoloPlace& place) {
  write_at(root / place.description, place.text);
  write_picture(root / place.image, 200, 100);
  write_at(root / place.labels, "1 0.5 0.5 0.25 0.5\n");
}

DataSource yolo_at(const fs::path& root) {
  DataSource data(root);
  data.format = "yolo";
  return data;
}

Error error_of_yolo(const fs::path& root, const std::string& split = "val") {
  DataSource data = yolo_at(root);
  data.split = split;
  return error_of([&] { Dataset{data}; });
}

TEST(YoloLayouts, DescriptionsAndListsOfNamesAreFoundByTheirNames) {
  const char* lists = "a\nb\n";
  const char* yaml = "val: images/val\nnames: [a, b]\n";
  const YoloPlace places[] = {
      {"data.yaml", yaml, "images/val/x.png", "labels/val/x.txt"},
      {"data.yml", yaml, "images/val/x.png", "labels/val/x.txt"},
      {"dataset.yaml", yaml, "images/val/x.png", "labels/val/x.txt"},
      {"dataset.yml", yaml, "images/val/x.png", "labels/val/x.txt"},
      {"coco8.yaml", yaml, "images/val/x.png", "labels/val/x.txt"},
      {"classes.txt", lists, "images/val/x.png", "labels/val/x.txt"},
      {"classes.txt", lists, "valid/images/x.png", "valid/labels/x.txt"},
      {"labels/classes.txt", lists, "images/validation/x.png", "labels/validation/x.txt"},
      {"obj.names", lists, "images/x.png", "labels/x.txt"},
      {"classes.txt", lists, "x.png", "x.txt"},  // LabelImg
      {"classes.txt", lists, "valid/x.png", "valid/x.txt"},
      {"valid/_darknet.labels", lists, "valid/x.png", "valid/x.txt"},                       // Roboflow
      {"data.yaml", "val: pictures\nnames: [a, b]\n", "pictures/x.png", "pictures/x.txt"},  // no folder images/
      {"data.yaml", "val: images/a/images\nnames: [a, b]\n", "images/a/images/x.png", "images/a/labels/x.txt"},
  };
  for (const YoloPlace& place : places) {
    const TestFolder folder("yolo");
    write_place(folder.path(), place);
    EXPECT_EQ(format_of(folder.path()).name, "yolo") << place.description << ' ' << place.image;
    const Dataset source(yolo_at(folder.path()));
    ASSERT_EQ(source.truth().annotations.size(), 1u) << place.description << ' ' << place.image;
    EXPECT_EQ(source.truth().annotations[0].bbox, (std::array<double, 4>{75, 25, 50, 50}));
    EXPECT_EQ(source.truth().categories.at(1).name, "b");
    EXPECT_NO_THROW(source.open(*source.images().at(0))) << place.image;
    EXPECT_EQ(image_folder(yolo_at(folder.path())), (folder / place.image).parent_path());
  }
}

TEST(YoloLayouts, LabelsAndImagesAreRecognisedTogether) {
  const TestFolder folder("yolo");
  make_folder(folder / "labels");
  EXPECT_EQ(format_of(folder.path()).name, "coco") << "the first format, which says what is missing";
  make_folder(folder / "images");
  EXPECT_EQ(format_of(folder.path()).name, "yolo");
  const Error error = error_of([&] { Dataset{folder.path()}; });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "data.yaml: no such file, which names the classes, nor classes.txt"))
      << error.what();
}

TEST(YoloLayouts, ASplitIsTheFirstOfItsNamesThatHasPaths) {
  const TestFolder folder("yolo");
  write_place(folder.path(), {"data.yaml", "val:\nvalid: []\nvalidation: images/x\ntrain: images/x\nnames: [a, b]\n",
                              "images/x/1.png", "labels/x/1.txt"});
  EXPECT_EQ(Dataset(yolo_at(folder.path())).images().size(), 1u);
  const Error error = error_of_yolo(folder.path(), "test");
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "data.yaml: it has no split 'test'; choose one that it has (--split)"))
      << error.what();
  write_at(folder / "data.yaml", "val: ['']\nnames: [a, b]\n");
  EXPECT_TRUE(contains(error_of_yolo(folder.path()).what(), "data.yaml:1: '' is not in this folder"));
  write_at(folder / "data.yaml", "val: images/none\nnames: [a, b]\n");
  EXPECT_TRUE(contains(error_of_yolo(folder.path()).what(), "data.yaml:1: 'images/none' is not in this folder"));
}

/// What supervision writes says nothing of splits, and lists of classes never do.
TEST(YoloLayouts, SplitsAreFoldersWhereNothingNamesThem) {
  for (const char* description : {"data.yaml", "classes.txt"}) {
    const char* text = description == std::string_view("data.yaml") ? "nc: 2\nnames: [a, b]\n" : "a\nb\n";
    const TestFolder whole("yolo"), parts("yolo");
    write_place(whole.path(), {description, text, "images/x.png", "labels/x.txt"});
    EXPECT_EQ(Dataset(whole.path()).truth().annotations.size(), 1u) << description;
    write_place(parts.path(), {description, text, "images/train/x.png", "labels/train/x.txt"});
    write_place(parts.path(), {description, text, "images/test/y.png", "labels/test/y.txt"});
    const Error error = error_of_yolo(parts.path());
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_TRUE(contains(error.what(), "images: it has no split 'val'; choose one that it has (--split): train, test"))
        << error.what();
  }
}

TEST(YoloLayouts, AbsolutePathsWithinTheFolderAreTaken) {
  const TestFolder folder("yolo");
  const std::string images = fs::absolute(folder / "images/val").string();
  write_place(folder.path(), {"data.yaml", "", "images/val/x.png", "labels/val/x.txt"});
  for (const std::string& split : {images, images + "/../val", "path: " + fs::absolute(folder.path()).string()}) {
    write_at(folder / "data.yaml", split.starts_with("path") ? split + "\nval: images/val\nnames: [a, b]\n"
                                                             : "val: " + split + "\nnames: [a, b]\n");
    EXPECT_EQ(Dataset(folder.path()).truth().annotations.size(), 1u) << split;
  }
  write_at(folder / "data.yaml", "val: val.txt\nnames: [a, b]\n");
  write_at(folder / "val.txt", images + "/x.png\n");
  const Dataset source(folder.path());
  EXPECT_EQ(source.images().at(0)->file_name, "images/val/x.png");
  EXPECT_EQ(source.truth().annotations.size(), 1u);
}

TEST(YoloLayouts, IdsAreNumbersWhereTheNamesAreAndKeysElse) {
  const auto ids_of = [](const std::vector<std::string>& images) {
    const TestFolder folder("yolo");
    std::string list;
    for (const std::string& image : images) {
      list += image + "\n";
      make_folder((folder / image).parent_path());
      write_file(folder / image, vision::encode_png(vision::Image(64, 48)));
    }
    write_at(folder / "data.yaml", "val: val.txt\nnames: [a]\n");
    write_at(folder / "val.txt", list);
    const Dataset source(folder.path());
    std::vector<std::string> ids;
    for (const eval::ImageRecord& image : source.truth().images)
      ids.push_back(source.truth().image_ids.json_of(image.id));
    return ids;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(ids_of({"images/a/0012.png", "images/b/7.png"}), (Ids{"12", "7"}));
  EXPECT_EQ(ids_of({"images/a/1.png", "images/b/1.png"}), (Ids{"\"images/a/1\"", "\"images/b/1\""}));
  EXPECT_EQ(ids_of({"images/1.png", "images/01.png"}), (Ids{"\"1\"", "\"01\""}));  // one number
  EXPECT_EQ(ids_of({"images/123456789012345678.png"}), (Ids{"123456789012345678"}));
  EXPECT_EQ(ids_of({"images/1234567890123456789.png"}), (Ids{"\"1234567890123456789\""}));  // may not fit 64 bits
  const std::string twice = bad_input_message([&] { ids_of({"images/x.png", "images/x.jpg"}); });
  EXPECT_TRUE(contains(twice, "data.yaml: image 'images/x' is there twice, listed twice or with two extensions"))
      << twice;
}

TEST(YoloLayouts, ImagesMayLieElsewhere) {
  const TestFolder folder("yolo"), pictures("yolo");
  write_place(folder.path(), {"data.yaml", "val: images\nnames: [a, b]\n", "images/x.png", "labels/x.txt"});
  write_file(folder / "images/x.png", "a placeholder");
  write_file(pictures / "x.png", vision::encode_png(vision::Image(400, 200)));
  DataSource data(folder.path());
  data.images = pictures.path();
  const Dataset source(data);
  EXPECT_EQ(source.truth().annotations.at(0).bbox, (std::array<double, 4>{150, 50, 100, 100}));
  EXPECT_NO_THROW(source.open(*source.images().at(0)));
}

TEST(YoloLayouts, BoxesOfImagesThatCannotBeReadAreLeftOutWithANote) {
  const TestFolder folder("yolo");
  write_place(folder.path(), {"data.yaml", "val: images\nnames: [a, b]\n", "images/x.png", "labels/x.txt"});
  write_at(folder / "labels/x.txt", "0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1\n");
  write_file(folder / "images/x.png", "no picture");
  const Dataset source(folder.path());
  EXPECT_TRUE(source.truth().annotations.empty());
  ASSERT_EQ(source.notes().size(), 1u);
  EXPECT_TRUE(contains(source.notes()[0], "data.yaml: 2 boxes left out: the size of the image cannot be read") &&
              contains(source.notes()[0], "x.txt:1)"))
      << source.notes()[0];
}

/// Labels are parts of the image as it is to be seen.
TEST(YoloLayouts, SizesAreThoseOfTheUprightImage) {
  const TestFolder folder("yolo");
  write_at(folder / "data.yaml", "val: images\nnames: [a]\n");
  make_folder(folder / "images");
  fs::copy(fs::path(EFFDET_SOURCE_DIR) / "testdata/images/exif_6.jpg", folder / "images/x.jpg");  // 24 x 16 as stored
  write_at(folder / "labels/x.txt", "0 0.5 0.5 0.5 0.5\n");
  const eval::GroundTruth truth = format_of(folder.path()).read(folder.path());
  EXPECT_EQ(truth.images.at(0).width, 16);
  EXPECT_EQ(truth.images.at(0).height, 24);
  EXPECT_EQ(truth.annotations.at(0).bbox, (std::array<double, 4>{4, 6, 8, 12}));
}

TEST(BadInput, YoloDescriptionsThatNameNothing) {
  const TestFolder folder("yolo");
  make_folder(folder / "images/val");
  for (const auto& [text, message] :
       {std::pair("- names\n- val\n", "data.yaml:1: no map of names to values"),
        {"", "no map of names to values"},
        {"names", "data.yaml:1: no map of names to values"},
        {"names: []\n", "data.yaml:1: names: no list and no map"},
        {"nc: 1\nnames: cat\n", "data.yaml:2: names: no list and no map"},
        {"names: {0: a, 0.5: b}\n", "data.yaml:1: names: class 0.5 is none of 0 to 1"},
        {"names: {-1: a}\n", "data.yaml:1: names: class -1 is none of 0 to 0"},
        {"names: [[a], b]\n", "data.yaml:1: names: the name of class 0 is no text"},
        {"names: {0: a, 1: {b: c}}\n", "data.yaml:1: names: the name of class 1 is no text"},
        {"names: {0: a, 0: b}\n", "data.yaml:1: names: class 0 has two names"},
        {"names: {1: a}\n", "data.yaml:1: names: class 1 is none of 0 to 0"},
        {"names: [a]\nnc: one\n", "data.yaml:2: nc 'one' is no number"}}) {
    write_file(folder / "data.yaml", std::string_view(text));
    const std::string found = bad_input_message([&] { Dataset{folder.path()}; });
    EXPECT_TRUE(contains(found, message)) << found;
  }
  write_file(folder / "data.yaml", "names: [a]\nval:\ntrain: images/val\n");
  EXPECT_TRUE(contains(error_of([&] { Dataset{folder.path()}; }).what(),
                       "no split 'val'; choose one that it has (--split): train"));
}

/// Roboflow's files have a map about their origin, those of Ultralytics a script over several lines.
TEST(YoloLayouts, WhatElseADescriptionHasIsPassedOver) {
  const TestFolder folder("yolo");
  write_place(
      folder.path(),
      {"data.yaml",
       "roboflow:\n  workspace: w\n  version: 2\n  tags: [x, [y, {z: [1]}]]\nkpt_shape: [17, 3]\n"
       "flip_idx: [0, 2, 1]\ndownload: |\n  import os\n  names: none\nval: images\nnames: {0: a, 1: b}\nnc: 2\n",
       "images/x.png", "labels/x.txt"});
  const Dataset source(folder.path());  // a box alone, though there may be keypoints
  EXPECT_EQ(source.truth().annotations.at(0).bbox, (std::array<double, 4>{75, 25, 50, 50}));
  EXPECT_EQ(source.truth().categories.at(1).name, "b");
}

}  // namespace
}  // namespace effdet::dataset
