#include "eval/coco_results.h"

#include <gtest/gtest.h>

#include <limits>

#include "eval/test_support.h"
#include "support/test_folder.h"

namespace effdet {
namespace {

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
  write_coco_results(path_, results);
  const auto read = read_coco_results(path_);
  ASSERT_EQ(read.size(), results.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].image_id, results[i].image_id);
    EXPECT_EQ(read[i].bbox, results[i].bbox);
    EXPECT_EQ(read[i].score, results[i].score);
    EXPECT_EQ(read[i].category_id, results[i].category_id);
  }
}

TEST_F(ResultFile, NoResults) {
  write_coco_results(path_, {});
  EXPECT_TRUE(read_coco_results(path_).empty());
}

TEST_F(ResultFile, NumbersThatJsonCannotHoldLeaveNoFile) {
  const std::vector<CocoResult> results{{1, {0, 0, 1, 1}, std::numeric_limits<double>::quiet_NaN(), 1}};
  EXPECT_THROW(write_coco_results(path_, results), Error);
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

TEST(BadInput, Case83_ResultFile) {
  const auto refused = [](const std::string& text) {
    return bad_input_message([&] { parse_coco_results(text, "r.json"); });
  };
  EXPECT_NE(
      refused(R"([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1], "score": 1}])").find("[0].bbox: expected 4"),
      std::string::npos);
  EXPECT_NE(refused(R"([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}])").find("\"score\" is missing"),
            std::string::npos);
  EXPECT_NE(refused(R"([{"score": NaN}])").find("[0].score: expected a number"), std::string::npos);
  EXPECT_NE(refused(R"({"image_id": 1})").find("expected an array"), std::string::npos);
}

}  // namespace
}  // namespace effdet
