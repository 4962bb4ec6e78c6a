// Result files: what is written is read back, and hostile ones are refused.
#include "eval/coco_results.h"

#include <gtest/gtest.h>

#include <limits>

#include "eval/test_support.h"
#include "support/test_folder.h"

namespace effdet::eval {
namespace {

/// One that has the results' images and categories.
GroundTruth dataset_for(const std::vector<CocoResult>& results) {
  GroundTruth dataset;
  for (const CocoResult& result : results) {
    dataset.image_index.emplace(result.image_id, dataset.images.size());
    dataset.images.push_back({.id = result.image_id});
    dataset.categories.push_back({.id = result.category_id});
  }
  return dataset;
}

class ResultFile : public testing::Test {
 protected:
  const test::TestFolder folder_{"eval"};
  const std::filesystem::path path_ = folder_ / "results.json";
};

TEST_F(ResultFile, ReadsBackTheSameNumbers) {
  std::vector<CocoResult> results;
  const auto values = noise(5, 400);
  for (size_t i = 0; i + 4 < values.size(); i += 5) {
    results.push_back({static_cast<int64_t>(i),
                       {values[i] * 600.0f, -values[i + 1], values[i + 2] * 1e-7f, values[i + 3] * 500.0f},
                       values[i + 4],
                       static_cast<int64_t>(i % 90)});
  }
  const auto dataset = dataset_for(results);
  write_coco_results(path_, results, dataset);
  const auto read = read_coco_results(path_, dataset).results;
  ASSERT_EQ(read.size(), results.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].image_id, results[i].image_id);
    EXPECT_EQ(read[i].bbox, results[i].bbox);
    EXPECT_EQ(read[i].score, results[i].score);
    EXPECT_EQ(read[i].category_id, results[i].category_id);
  }
}

TEST_F(ResultFile, NoResults) {
  write_coco_results(path_, {}, {});
  EXPECT_TRUE(read_coco_results(path_, {}).results.empty());
}

TEST_F(ResultFile, NumbersThatJsonCannotHoldLeaveNoFile) {
  const std::vector<CocoResult> results{{1, {0, 0, 1, 1}, std::numeric_limits<double>::quiet_NaN(), 1}};
  EXPECT_THROW(write_coco_results(path_, results, {}), Error);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST(CocoResults, AppendStopsAtLowScores) {
  const std::vector<Detection> detections{
      {10, 20, 30.5f, 60, 0.5f, 3}, {0, 0, 1, 1, 0.0009f, 4}, {0, 0, 1, 1, 0.0f, 5}};
  std::vector<CocoResult> results;
  append_results(42, detections, results);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].image_id, 42);
  EXPECT_EQ(results[0].bbox, (std::array<double, 4>{10, 20, 20.5, 40}));
  EXPECT_EQ(results[0].category_id, 3);
}

TEST(CocoResults, StringIdsAreWrittenAsTheyAre) {
  const auto dataset = parse_coco_dataset(R"({"images": [{"id": "a b"}], "categories": [{"id": 3}]})", "x.json");
  const test::TestFolder folder("eval");
  const std::vector<CocoResult> results{{dataset.images[0].id, {0, 0, 1, 1}, 0.5, 3}};
  write_coco_results(folder / "r.json", results, dataset);
  EXPECT_EQ(load_json(folder / "r.json")[0]["image_id"], "a b");
  EXPECT_EQ(read_coco_results(folder / "r.json", dataset).results.at(0).image_id, dataset.images[0].id);
}

TEST(CocoResults, MasksAndKeypointsAreEvaluatedByTheirBoxesOrRefusedByName) {
  const auto dataset = parse_coco_dataset(R"({"images": [{"id": 1}], "categories": [{"id": 1}]})", "x.json");
  for (const std::string shape : {R"("segmentation": {"size": [4, 4], "counts": "04"})",
                                  R"("segmentation": [[1, 2, 3, 4, 5, 6]])", R"("keypoints": [1, 2, 2])"}) {
    const std::string begin = R"([{"image_id": 1, "category_id": 1, "score": 0.5, )" + shape;
    const std::string message = bad_input_message([&] { parse_coco_results(begin + "}]", "r.json", dataset); });
    EXPECT_NE(message.find("r.json"), std::string::npos) << message;
    EXPECT_NE(message.find("without a \"bbox\": boxes are what is evaluated here"), std::string::npos) << message;
    EXPECT_NE(message.find(shape.starts_with("\"seg") ? "[0]: a mask" : "[0]: keypoints"), std::string::npos)
        << message;
    // As in pycocotools, an empty list is no box; left out, all results would be gone.
    for (const char* no_box : {R"(, "bbox": []}])", R"(, "bbox": null}])"})
      EXPECT_EQ(bad_input_message([&] {
                  parse_coco_results(begin + no_box, "r.json", dataset);
                }).find("r.json: [0]: " + std::string(shape.starts_with("\"seg") ? "a mask" : "keypoints")),
                0U);
    const CocoResultFile file = parse_coco_results(begin + R"(, "bbox": [1, 2, 3, 4]}])", "r.json", dataset);
    ASSERT_EQ(file.results.size(), 1U);
    EXPECT_EQ(file.results[0].bbox, (std::array<double, 4>{1, 2, 3, 4}));
    ASSERT_EQ(file.notes.size(), 1U);
    EXPECT_NE(file.notes[0].find("1 of 1 results have "), std::string::npos) << file.notes[0];
  }
}

TEST(BadInput, Case83_ResultFile) {
  const auto dataset = parse_coco_dataset(R"({"images": [{"id": 1}], "categories": [{"id": 1}]})", "x.json");
  const auto refused = [&](const std::string& text, BadRecords bad_records = BadRecords::kLeaveOut) {
    return bad_input_message([&] { parse_coco_results(text, "r.json", dataset, bad_records); });
  };
  const auto with = [](const std::string& members) {
    return R"([{"image_id": 1, "category_id": 1, )" + members + "}]";
  };
  EXPECT_NE(refused(with(R"("bbox": [0, 0, 1], "score": 1)")).find("[0].bbox: expected 4"), std::string::npos);
  EXPECT_NE(refused(with(R"("bbox": [0, 0, 1, 1])")).find("\"score\" is missing"), std::string::npos);
  EXPECT_NE(refused(with(R"("score": "1")")).find("[0].score: expected a number"), std::string::npos);
  EXPECT_NE(refused(R"([{"image_id": 2}])").find("[0].image_id: the annotation file has no image 2"),
            std::string::npos);
  EXPECT_NE(refused(R"([{"image_id": "1"}])").find("ids that are numbers have no quotes"), std::string::npos);
  EXPECT_NE(refused(R"({"image_id": 1})").find("as annotation files are"), std::string::npos);

  const std::string nan_score = with(R"("bbox": [0, 0, 1, 1], "score": NaN)");
  EXPECT_EQ(parse_coco_results(nan_score, "r.json", dataset).notes,
            std::vector<std::string>{"r.json: 1 of 1 results left out: score that is no number (the first is [0])"});
  EXPECT_NE(refused(nan_score, BadRecords::kRefuse).find("[0].score: score that is no number"), std::string::npos);
  EXPECT_NE(refused(with(R"("bbox": [0, 0, -1, 1])"), BadRecords::kRefuse).find("[0].bbox: box with a negative side"),
            std::string::npos);
}

}  // namespace
}  // namespace effdet::eval
