// Annotation files as people have them, and hostile ones.
#include "eval/coco_dataset.h"

#include <gtest/gtest.h>

#include "eval/test_support.h"

namespace effdet::eval {
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

GroundTruth parse(const std::string& text, BadRecords bad_records = BadRecords::kLeaveOut) {
  return parse_coco_dataset(text, "x.json", bad_records);
}

void expect_refused(const std::string& text, const std::string& path, const std::string& reason,
                    BadRecords bad_records = BadRecords::kLeaveOut) {
  const auto message = bad_input_message([&] { parse(text, bad_records); });
  EXPECT_EQ(message.rfind("x.json: " + path, 0), 0U) << message;
  EXPECT_NE(message.find(reason), std::string::npos) << message;
}

/// Of a file with one annotation: left out with a note, or refused where that is wanted.
void expect_left_out(const std::string& text, const std::string& path, const std::string& reason) {
  const GroundTruth dataset = parse(text);
  EXPECT_TRUE(dataset.annotations.empty()) << text;
  const std::string note = "x.json: 1 of 1 annotations left out: " + reason + " (the first is annotations[0])";
  EXPECT_EQ(dataset.notes, std::vector{note});
  expect_refused(text, path, "", BadRecords::kRefuse);
}

TEST(GroundTruth, ReadsWhatDetectionNeeds) {
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

TEST(GroundTruth, AnnotationsMayBeAbsent) { EXPECT_EQ(parse(std::string("{") + kImages + "}").images.size(), 1U); }

TEST(GroundTruth, SharedCocoLoads) {
  const auto path = shared_folder() / "coco_data/annotations/instances_val2017.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
  const auto dataset = read_coco_dataset(path);
  EXPECT_EQ(dataset.images.size(), 79U);
  EXPECT_EQ(dataset.categories.size(), 80U);
  EXPECT_FALSE(dataset.annotations.empty());
}

TEST(GroundTruth, CountsWhatIsLeftOutByReason) {
  const auto dataset = parse(std::string("{") + kImages + ", " + kCategories + R"(, "annotations": [
      {"id": 1, "image_id": 1, "category_id": 5, "bbox": [0, 0, 1, 1]},
      {"id": 2, "image_id": 1, "category_id": 6, "bbox": [0, 0, 1, 1]},
      {"id": 3, "image_id": 1, "category_id": 5, "bbox": [0, 0, -1, 1]},
      {"id": 4, "image_id": 2, "category_id": 5, "bbox": [0, 0, 1, 1]},
      {"id": 5, "image_id": 1, "category_id": 6, "bbox": [0, 0, 1, 1]}]})");
  EXPECT_EQ(dataset.annotations.size(), 1U);
  EXPECT_EQ(dataset.notes,
            (std::vector<std::string>{
                "x.json: 1 of 5 annotations left out: box with a negative side (the first is annotations[2])",
                "x.json: 2 of 5 annotations left out: of categories that are not listed (the first is annotations[1])",
                "x.json: 1 of 5 annotations left out: of images that are not listed (the first is annotations[3])"}));
}

TEST(GroundTruth, IdsMayBeStringsWhichSortAsInPython) {
  const auto dataset = parse(R"({"images": [{"id": "b"}, {"id": "a\""}, {"id": "B"}], "categories": [{"id": "7"}],
      "annotations": [{"image_id": "b", "category_id": "7", "bbox": [0, 0, 1, 1]}]})");
  const auto ids = dataset.sorted_image_ids();
  EXPECT_EQ(dataset.image_ids.json_of(ids[0]), "\"B\"");
  EXPECT_EQ(dataset.image_ids.json_of(ids[1]), "\"a\\\"\"");
  EXPECT_EQ(dataset.find_image(ids[2]), &dataset.images[0]);
  EXPECT_EQ(dataset.annotations.at(0).image_id, dataset.images[0].id);
  EXPECT_EQ(dataset.annotations.at(0).category_id, dataset.categories[0].id);
  EXPECT_EQ(dataset.image_ids.find("c"), StringIds::kUnknown);
  expect_refused(R"({"images": [{"id": 1}, {"id": "a"}]})", "images[1].id", "all of one kind");
}

TEST(GroundTruth, ImagesNeedNothingButTheirId) {
  for (const char* more : {"", R"(, "width": null, "height": 3.5)", R"(, "width": "4", "height": -1)",
                           R"(, "width": 1e999, "height": NaN)", R"(, "file_name": 7)", R"(, "file_name": null)"}) {
    const auto dataset = parse(std::string(R"({"images": [{"id": 1)") + more + "}]}");
    EXPECT_EQ(dataset.images.at(0).width, 0) << more;
    EXPECT_EQ(dataset.images.at(0).height, 0) << more;
    EXPECT_EQ(dataset.images.at(0).file_name, "") << more;
  }
  EXPECT_EQ(parse(R"({"images": [{"id": 1, "width": 640.0, "height": 480}]})").images.at(0).width, 640);
  for (const char* name : {"../../x.jpg", "/etc/passwd", "https://x/a.jpg", ""})
    EXPECT_EQ(parse(with_file_name(name)).images.at(0).file_name, name);
}

TEST(BadInput, Case83_Bbox) {
  EXPECT_EQ(parse(with_bbox("[0, 0, 0, 0]")).annotations.size(), 1U);  // COCO itself has boxes without height
  expect_left_out(with_bbox("[0, 0, -1, 2]"), "annotations[0].bbox", "box with a negative side");
  expect_left_out(with_bbox("[0, NaN, 1, 2]"), "annotations[0].bbox", "box with NaN or infinity");
  expect_left_out(with_bbox("[0, 1, -Infinity, 2]"), "annotations[0].bbox", "box with NaN or infinity");
  expect_left_out(with_bbox("[0, 0, 1, 1e999]"), "annotations[0].bbox", "box with NaN or infinity");
  expect_left_out(with_bbox("[0, 1, 1e308, 2]"), "annotations[0].bbox", "box beyond 1e9 pixels");
  expect_left_out(with_bbox("null"), "annotations[0].bbox", "no box");
  expect_left_out(with_bbox("[]"), "annotations[0].bbox", "no box");
  expect_left_out(with_annotation(R"("id": 1, "image_id": 1, "category_id": 5)"), "annotations[0]", "no box");
  expect_refused(with_bbox("[0, 1, 2]"), "annotations[0].bbox", "expected 4 numbers, found 3");
  expect_refused(with_bbox("[0, 1, 2, 3, 4]"), "annotations[0].bbox", "expected 4 numbers, found 5");
  expect_refused(with_bbox("[0, 1, 2, \"3\"]"), "annotations[0].bbox[3]", "expected a number");
  expect_refused(with_bbox("{}"), "annotations[0].bbox", "expected an array");
}

TEST(BadInput, Case83_ImageId) {
  expect_refused(with_annotation(R"("id": 1, "category_id": 5, "bbox": [0, 0, 1, 1])"), "annotations[0]",
                 "\"image_id\" is missing");
  expect_refused(with_annotation(R"("image_id": 18446744073709551616)"), "annotations[0].image_id", "64 bits");
  expect_refused(with_annotation(R"("image_id": -9223372036854775807)"), "annotations[0].image_id", "is no id");
  expect_refused(with_annotation(R"("image_id": 1, "image_id": 1)"), "annotations[0].image_id", "twice");
  expect_refused(R"({"images": [{"id": 1, "file_name": "a", "width": 1, "height": 1},
                                {"id": 1, "file_name": "b", "width": 1, "height": 1}]})",
                 "images[1].id", "occurs twice");
  expect_refused(R"({"images": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]})",
                 "categories[1].id", "occurs twice");
  expect_refused(R"({"images": [], "annotations": [{"id": 1, "image_id": 1, "category_id": 1},
                                                   {"id": 1, "image_id": 2, "category_id": 1}]})",
                 "annotations[1].id", "merged sets");
}

TEST(BadInput, Case83_AbsentCategory) {
  expect_left_out(with_annotation(R"("id": 1, "image_id": 1, "category_id": 6, "bbox": [0, 0, 1, 1])"),
                  "annotations[0].category_id: no category has this id", "of categories that are not listed");
}

TEST(BadInput, Case85_JsonThatIsNotWhatItSeems) {
  expect_refused("{\"a\": " + std::string(1000000, '['), "a", "nested deeper");
  expect_refused("{\"images\": [], \"images\": []}", "images", "twice");
  expect_refused(with_file_name("\\ud800.jpg"), "images[0].file_name", "surrogate");
  expect_refused("[]", "", "found a list, as result files are");
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

}  // namespace
}  // namespace effdet::eval
