// YOLO's files: layouts, boxes and polygons, and files that are refused.
#include "dataset/dataset.h"
#include "dataset/format.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

constexpr std::string_view kYoloNames = "names:\n  0: cat\n  1: dog\n";

/// An image of 200 x 100 pixels with its labels.
void write_yolo(const fs::path& image, const fs::path& labels, std::string_view lines) {
  write_picture(image, 200, 100);
  write_at(labels, lines);
}

void write_yolo(const TestFolder& folder, std::string_view lines, std::string_view names = kYoloNames) {
  write_yolo(folder / "images/val/000000000042.png", folder / "labels/val/000000000042.txt", lines);
  write_file(folder / "data.yaml", fmt::format("path: ../datasets/mine  # as Ultralytics has it\ntrain: images/train\n"
                                               "val: images/val\n{}",
                                               names));
}

std::string refusal_of_yolo(std::string_view lines, std::string_view names = kYoloNames) {
  const TestFolder folder("yolo");
  write_yolo(folder, lines, names);
  return bad_input_message([&] { Dataset{folder.path()}; });
}

TEST(Yolo, BoxesAndPolygonsAreParts) {
  const TestFolder folder("yolo");
  write_yolo(folder, "0 0.5 0.5 0.25 0.5\r\n\n1 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n1 0.333333 0.5 0.1 0.000001");
  EXPECT_EQ(format_of(folder.path()).name, "yolo");
  const Dataset source(folder.path());
  const eval::GroundTruth& truth = source.truth();
  ASSERT_EQ(truth.annotations.size(), 3u);
  EXPECT_EQ(truth.annotations[0].bbox, (std::array<double, 4>{75, 25, 50, 50}));
  EXPECT_EQ(truth.annotations[0].category_id, 1);
  EXPECT_EQ(truth.annotations[0].image_id, 42);
  EXPECT_EQ(truth.annotations[1].bbox, (std::array<double, 4>{20, 20, 40, 40}));
  EXPECT_NEAR(truth.annotations[1].area, 1600, 1e-9);
  EXPECT_EQ(truth.annotations[2].bbox[0], 56.6666);
  EXPECT_EQ(truth.categories.at(1).name, "dog");
  EXPECT_NO_THROW(source.open(*source.images().at(0)));
  EXPECT_EQ(source.images()[0]->file_name, "000000000042.png");
}

TEST(Yolo, LayoutsOfOthers) {
  const auto opens = [](const fs::path& root) {
    const Dataset source(root);
    ASSERT_EQ(source.truth().annotations.size(), 1u);
    EXPECT_NO_THROW(source.open(*source.images().at(0)));
  };
  const std::string_view line = "0 0.5 0.5 0.5 0.5\n";
  const TestFolder roboflow("yolo"), label_img("yolo"), list("yolo"), several("yolo");
  write_yolo(roboflow / "valid/images/x.png", roboflow / "valid/labels/x.txt", line);
  write_file(roboflow / "data.yaml", "train: ../train/images\nval: ../valid/images\n\nnc: 2\nnames: ['a', 'b']\n");
  opens(roboflow.path());
  write_yolo(label_img / "images/x.png", label_img / "labels/x.txt", line);
  write_file(label_img / "classes.txt", "a\nb\n");
  opens(label_img.path());
  write_yolo(list / "images/x.png", list / "labels/x.txt", line);
  write_file(list / "data.yaml", "val: val.txt\nnames: [a]\n");
  write_file(list / "val.txt", "./images/x.png\n");
  opens(list.path());
  write_yolo(several / "a/images/x.png", several / "a/labels/x.txt", line);
  const TestFolder beside("yolo");
  write_yolo(beside / "night/images/x.png", beside / "night/labels/x.txt", line);
  write_file(beside / "data.yaml", "val: night/val.txt\nnames: [a]\n");
  write_file(beside / "night/val.txt", "./images/x.png\n");
  opens(beside.path());
  make_folder(several / "b/images");
  write_file(several / "data.yaml", "val:\n  - a/images\n  - b/images\nnames: [a]\n");
  opens(several.path());
}

TEST(Yolo, ClassesThatAreOnlyCounted) {
  for (const char* names : {"nc: 2\n", "nc: 2\nnames:\n"}) {
    const TestFolder folder("yolo");
    write_yolo(folder, "1 0.5 0.5 0.5 0.5\n", names);
    EXPECT_EQ(Dataset(folder.path()).truth().categories.at(1).name, "class_1") << names;
  }
}

/// As Ultralytics takes them: float32 numbers that are the same.
TEST(Yolo, ALineThatComesTwiceCountsOnce) {
  const TestFolder folder("yolo");
  write_yolo(folder,
             "0 0.5 0.5 0.25 0.5\n0 0.50 0.5 0.250000000001 .5\n1 0.5 0.5 0.25 0.5\n"
             "1 0.1 0.2 0.3 0.2 0.3 0.6\n1 0.1 0.2 0.3 0.6 0.3 0.2\n1 0.1 0.2 0.3 0.2 0.3 0.6\n");
  const Dataset source(folder.path());
  EXPECT_EQ(source.truth().annotations.size(), 4u);
  ASSERT_EQ(source.notes().size(), 1u);
  EXPECT_TRUE(contains(source.notes()[0], "2 boxes left out: the same as a line before it") &&
              contains(source.notes()[0], ".txt:2)"))
      << source.notes()[0];
}

TEST(Yolo, NumbersMayLieAHundredthBeyondTheImage) {
  const TestFolder folder("yolo");
  write_yolo(folder, "0 -0.01 0.5 0.25 1.01\n1 -0.005 0.5 1.01 0.5 1.01 1.005\n");
  const Dataset source(folder.path());
  EXPECT_EQ(source.truth().annotations.at(0).bbox, (std::array<double, 4>{-27, -0.5, 50, 101}));
  EXPECT_EQ(source.truth().annotations.at(1).bbox, (std::array<double, 4>{-1, 50, 203, 50.5}));
}

TEST(Yolo, ImagesWithoutLabelsAreBackground) {
  const TestFolder folder("yolo");
  write_yolo(folder, "");
  EXPECT_TRUE(Dataset(folder.path()).notes().empty());
  fs::remove(folder / "labels/val/000000000042.txt");
  const Dataset source(folder.path());
  EXPECT_EQ(source.images().size(), 1u);
  ASSERT_EQ(source.notes().size(), 1u);
  EXPECT_TRUE(contains(source.notes()[0], "none of 1 images has a file of labels, as ") &&
              contains(source.notes()[0], "labels/val/000000000042.txt would be"))
      << source.notes()[0];
}

/// Python's float(), with which Ultralytics reads, takes them.
TEST(Yolo, NumbersMayHaveAPlus) {
  const TestFolder folder("yolo");
  write_yolo(folder, "0 +0.5 0.5 +2.5e-1 0.5\n");
  EXPECT_EQ(Dataset(folder.path()).truth().annotations.at(0).bbox, (std::array<double, 4>{75, 25, 50, 50}));
}

TEST(Yolo, KeypointsAreLeftOut) {
  const TestFolder folder("yolo");
  write_yolo(folder, "0 0.5 0.5 0.25 0.5 0.1 0.1 2 0.2 0.2 0\n", "names: [cat]\nkpt_shape: [2, 3]\n");
  EXPECT_EQ(Dataset(folder.path()).truth().annotations.at(0).bbox, (std::array<double, 4>{75, 25, 50, 50}));
}

TEST(BadInput, YoloLabelsAreRefusedWithFileAndLine) {
  const auto refused = [](std::string_view lines, std::string_view message) {
    const std::string found = refusal_of_yolo(lines);
    EXPECT_TRUE(contains(found, "000000000042.txt:") && contains(found, message)) << found;
  };
  refused("0 0.5 0.5 0.1 0.1\n0 0.5 1.5 0.1 0.1\n", ".txt:2: 1.5 is not between 0 and 1");
  refused("0 0.5 -0.5 0.1 0.1\n", ".txt:1: -0.5 is not between 0 and 1");
  refused("0 120 50 20 20\n", "120 is not between");
  refused("0 0.5 0.5 0.1 -0.001\n", ".txt:1: the box's side -0.001 is negative");
  refused("2 0.5 0.5 0.1 0.1\n", ".txt:1: class 2 is none of the 2 classes (0 to 1) of ");
  refused("-1 0.5 0.5 0.1 0.1\n", "class -1 is none");
  refused("0.5 0.5 0.5 0.1 0.1\n", "class 0.5 is none");
  refused("cat 0.5 0.5 0.1 0.1\n", "class 'cat' is no number");
  refused("0 nan 0.5 0.1 0.1\n", "coordinate 'nan' is no number");
  refused("0 0.5 0.5 0.1\n", "3 numbers after the class");
  refused("0 0.5 0.5 0.1 0.1 0.9\n", "5 numbers after the class");
  refused("0 0.1 0.1 0.2 0.1 0.2 0.2 0.9\n", "7 numbers after the class are neither a box (4) nor a polygon");
  for (const char* number : {"1e999", "inf", "0.5x", "+-0.5", "++0.5", "+", "0,5"})
    refused(fmt::format("0 0.5 {} 0.1 0.1\n", number), fmt::format("coordinate '{}' is no number", number));
}

TEST(BadInput, YoloDescriptionsAreRefusedWithFileAndLine) {
  const auto refused = [](std::string_view names, std::string_view message) {
    const std::string found = refusal_of_yolo("", names);
    EXPECT_TRUE(contains(found, "data.yaml") && contains(found, message)) << found;
  };
  refused("nc: 3\nnames: [a, b]\n", "data.yaml:4: nc is 3, but there are 2 names");
  refused("", "no 'names'");
  for (const char* count : {"0", "-1", "2.5", "1e9", "many"})
    refused(fmt::format("nc: {}\n", count), "data.yaml:4: nc");
  refused("names: {0: a, 2: b}\n", "data.yaml:4: names: class 2 is none of 0 to 1");
  refused("names: {0: a, b: b}\n", "class 'b' is no number");
  refused("names: [a, b\n", "no YAML that can be read");
  refused("a: &x [b]\nnames: *x\n", "data.yaml:5: aliases are refused");
  refused("names: [[[[[[[[[[[[a]]]]]]]]]]]]\n", "more than 8 deep");
  refused("names: [a]\nnames: [b]\n", "'names' occurs twice");
}

TEST(BadInput, Case87_YoloPathsThatLeadOutOfTheFolder) {
  const TestFolder folder("yolo"), outside("yolo");
  write_yolo(folder, "");
  make_folder(outside / "images");
  for (const std::string& split : {std::string("../../../etc"), (outside / "images").string()}) {
    write_file(folder / "data.yaml", "names: [a]\nval: " + split + "\n");
    const std::string message = bad_input_message([&] { Dataset{folder.path()}; });
    EXPECT_TRUE(contains(message, "data.yaml:2: '" + split + "' is not in this folder")) << message;
  }
  write_file(folder / "data.yaml", "names: [a]\nval: val.txt\n");
  write_file(folder / "val.txt", "images/val/000000000042.png\n/etc/passwd.png\n");
  EXPECT_TRUE(contains(bad_input_message([&] { Dataset{folder.path()}; }), "val.txt:2: '/etc/passwd.png' leads out"));
}

}  // namespace
}  // namespace effdet::dataset
