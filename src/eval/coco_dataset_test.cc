#include "eval/coco_dataset.h"

#include <gtest/gtest.h>

#include "eval/test_support.h"

namespace effdet {
namespace {

constexpr const char* kImages = R"("images": [{"id": 1, "file_name": "a.jpg", "width": 4, "height": 3}])";
constexpr const char* kCategories = R"("categories": [{"id": 5, "name": "x"}])";

/// A data set with one annotation, made of members of it.
std::string with_annotation(const std::string& members) {
  return std::string("{") + kImages + ", " + kCategories + ", \"annotations\": [{" + members + "}]}";
}

std::string with_bbox(const std::string& bbox) {
  return with_annotation(R"("id": 1, "image_id": 1, "category_id": 5, "bbox": )" + bbox);
}

std::string with_file_name(const std::string& name) {
  return R"({"images": [{"id": 1, "width": 4, "height": 3, "file_name": ")" + name + "\"}]}";
}

CocoDataset parse(const std::string& text) { return parse_coco_dataset(text, "x.json"); }

void expect_refused(const std::string& text, const std::string& path, const std::string& reason) {
  const auto message = bad_input_message([&] { parse(text); });
  EXPECT_EQ(message.rfind("x.json: " + path, 0), 0U) << message;
  EXPECT_NE(message.find(reason), std::string::npos) << message;
}

TEST(CocoDataset, ReadsWhatDetectionNeeds) {
  const auto dataset = parse(
      R"({"info": {"year": 2017}, "annotations": [{"segmentation": {"counts": [1, 2], "size": [3, 4]}, "area": 2.5,
      "iscrowd": 1, "image_id": 9, "bbox": [1, 2.5, 3, 4], "category_id": 5, "id": 7}, {"id": 8, "image_id": 9,
      "category_id": 5, "bbox": [-1, 0, 3, 4]}], "categories": [{"id": 5, "name": "d\u00e9j\u00e0", "keypoints": []}],
      "images": [{"file_name": "val2017/b c.jpg", "id": 9, "width": 640, "height": 480, "license": 3},
      {"file_name": "..a.jpg", "id": 2, "width": 1, "height": 1}]})");
  ASSERT_EQ(dataset.images.size(), 2U);
  EXPECT_EQ(dataset.images[0].file_name, "val2017/b c.jpg");
  EXPECT_EQ(dataset.images[0].width, 640);
  EXPECT_EQ(dataset.sorted_image_ids(), (std::vector<int64_t>{2, 9}));
  EXPECT_EQ(dataset.find_image(2), &dataset.images[1]);
  EXPECT_EQ(dataset.find_image(3), nullptr);
  ASSERT_EQ(dataset.annotations.size(), 2U);
  EXPECT_EQ(dataset.annotations[0].area, 2.5);
  EXPECT_TRUE(dataset.annotations[0].is_crowd);
  EXPECT_EQ(dataset.annotations[0].bbox, (std::array<double, 4>{1, 2.5, 3, 4}));
  EXPECT_EQ(dataset.annotations[1].area, 12);
  EXPECT_FALSE(dataset.annotations[1].is_crowd);
  EXPECT_EQ(dataset.categories[0].name, "déjà");
}

TEST(CocoDataset, AnnotationsMayBeAbsent) { EXPECT_EQ(parse(std::string("{") + kImages + "}").images.size(), 1U); }

TEST(CocoDataset, SharedCocoLoads) {
  const auto path = shared_folder() / "coco_data/annotations/instances_val2017.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
  const auto dataset = read_coco_dataset(path);
  EXPECT_EQ(dataset.images.size(), 79U);
  EXPECT_EQ(dataset.categories.size(), 80U);
  EXPECT_FALSE(dataset.annotations.empty());
}

TEST(BadInput, Case83_Bbox) {
  EXPECT_EQ(parse(with_bbox("[0, 0, 0, 0]")).annotations.size(), 1U);  // COCO itself has boxes without height
  expect_refused(with_bbox("[0, 0, -1, 2]"), "annotations[0].bbox", "negative");
  expect_refused(with_bbox("[0, NaN, 1, 2]"), "annotations[0].bbox[1]", "expected a number");
  expect_refused(with_bbox("[0, 1, 1e308, 2]"), "annotations[0].bbox[2]", "1e+308");
  expect_refused(with_bbox("[0, 1, 2]"), "annotations[0].bbox", "expected 4 numbers, found 3");
  expect_refused(with_bbox("[0, 1, 2, 3, 4]"), "annotations[0].bbox", "expected 4 numbers, found 5");
  expect_refused(with_bbox("[0, 1, 2, \"3\"]"), "annotations[0].bbox[3]", "expected a number");
  expect_refused(with_bbox("null"), "annotations[0].bbox", "expected an array");
}

TEST(BadInput, Case83_ImageId) {
  expect_refused(with_annotation(R"("id": 1, "category_id": 5, "bbox": [0, 0, 1, 1])"), "annotations[0]",
                 "\"image_id\" is missing");
  expect_refused(with_annotation(R"("image_id": 18446744073709551616)"), "annotations[0].image_id", "64 bits");
  expect_refused(with_annotation(R"("image_id": 1, "image_id": 1)"), "annotations[0].image_id", "twice");
  expect_refused(R"({"images": [{"id": 1, "file_name": "a", "width": 1, "height": 1},
                                {"id": 1, "file_name": "b", "width": 1, "height": 1}]})",
                 "images[1].id", "1 occurs twice");
}

TEST(BadInput, Case83_AbsentCategory) {
  expect_refused(with_annotation(R"("id": 1, "image_id": 1, "category_id": 6, "bbox": [0, 0, 1, 1])"),
                 "annotations[0].category_id", "no category has id 6");
}

TEST(BadInput, Case84_SizeOfImage) {
  for (const char* width : {"0", "-1", "4294967296", "1.5", "\"4\"", "null", "1e999"}) {
    expect_refused(std::string(R"({"images": [{"id": 1, "file_name": "a", "height": 1, "width": )") + width + "}]}",
                   "images[0].width", "(byte ");
  }
}

TEST(BadInput, Case85_JsonThatIsNotWhatItSeems) {
  expect_refused("{\"a\": " + std::string(1000000, '['), "a", "nested deeper");
  expect_refused("{\"images\": [], \"images\": []}", "images", "twice");
  expect_refused(with_bbox("[0, 0, 1, 1e999]"), "annotations[0].bbox[3]", "does not fit");
  expect_refused(with_file_name("\\ud800.jpg"), "images[0].file_name", "surrogate");
  expect_refused("[]", "", "expected an object");
  expect_refused("{}", "", "\"images\" is missing");
  expect_refused("{\"images\": []} x", "", "expected the end of the file");
  expect_refused("{\"images\": [", "images[0]", "expected an object, found the end of the file");
}

TEST(BadInput, Case86_RunLengthsArePassedOver) {
  const auto dataset = parse(with_annotation(
      R"("id": 1, "image_id": 1, "category_id": 5, "bbox": [0, 0, 1, 1], "iscrowd": 1,
         "segmentation": {"counts": [99999999999999999999999, -5], "size": [4294967296, 4294967296]})"));
  EXPECT_TRUE(dataset.annotations[0].is_crowd);
}

TEST(BadInput, Case87_FileNameLeadsOut) {
  for (const char* name : {"../../x.jpg", "a/../../x.jpg", "/etc/passwd", "..", "a/.."}) {
    expect_refused(with_file_name(name), "images[0].file_name", "leads out");
  }
  expect_refused(with_file_name(""), "images[0].file_name", "not a file name");
  expect_refused(with_file_name("a\\u0000.jpg"), "images[0].file_name", "not a file name");
  expect_refused(with_file_name("/a\\nb"), "images[0].file_name", "'/a?b' leads out");
}

}  // namespace
}  // namespace effdet
