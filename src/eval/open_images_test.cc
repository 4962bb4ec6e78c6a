// The metric of the Open Images challenge against the original's numbers, and its rules one by one.
#include "eval/open_images.h"

#include <gtest/gtest.h>

#include "eval/test_support.h"

namespace effdet::eval {
namespace {

GroundTruth truth_of(const nlohmann::json& set) {
  GroundTruth truth;
  for (int64_t id = 1; id <= 5; ++id) truth.categories.push_back({id, fmt::format("class {}", id)});
  for (const auto& image : set["images"]) {
    truth.image_index.emplace(image["id"], truth.images.size());
    truth.images.push_back({.id = image["id"], .absent_categories = image["searched"]});
  }
  for (const auto& item : set["annotations"])
    truth.annotations.push_back(
        {.image_id = item["image"], .category_id = item["category"], .bbox = item["box"], .is_crowd = item["group"]});
  return truth;
}

TEST(OpenImagesMetric, EqualsTheChallengesEvaluator) {
  const auto expected = load_json(golden("open_images.json"));
  Ancestors ancestors;
  for (const auto& child : expected["ancestors"]) ancestors[child[0]] = child[1].get<std::vector<int64_t>>();
  for (const auto& set : expected["sets"]) {
    const GroundTruth truth = truth_of(set);
    std::vector<CocoResult> results;
    for (const auto& item : set["results"])
      results.push_back({item["image"], item["box"], item["score"], item["category"]});
    const OpenImagesEvaluation found = evaluate_open_images(truth, ancestors, results);
    ASSERT_EQ(found.categories.size(), set["ap"].size());
    for (size_t k = 0; k < found.categories.size(); ++k)
      EXPECT_NEAR(found.categories[k].ap, set["ap"][k].get<double>(), 1e-12) << k;
    EXPECT_NEAR(found.mean_ap, set["mean_ap"].get<double>(), 1e-12);
  }
}

TEST(OpenImagesMetric, AGroupIsFoundOnce) {
  Ancestors ancestors;
  GroundTruth truth;
  truth.images = {{.id = 1}, {.id = 2}};
  truth.image_index = {{1, 0}, {2, 1}};
  truth.categories = {{7, "apple"}, {8, "fruit"}};
  truth.annotations = {{.image_id = 1, .category_id = 7, .bbox = {0, 0, 100, 100}, .is_crowd = true}};
  const auto ap = [&](const std::vector<CocoResult>& results, size_t category = 0) {
    return evaluate_open_images(truth, ancestors, results).categories[category].ap;
  };
  const CocoResult one{1, {0, 0, 20, 20}, 0.9, 7}, other{1, {50, 50, 20, 20}, 0.8, 7},
      outside{1, {90, 90, 20, 20}, 0.95, 7};
  EXPECT_EQ(ap({one, other}), 1);
  EXPECT_EQ(ap({outside, one, other}), 0.5);
  EXPECT_EQ(ap({one, {2, {0, 0, 20, 20}, 0.99, 7}}), 1);  // nobody looked for apples in image 2
  truth.images[1].absent_categories = {7};
  EXPECT_EQ(ap({one, {2, {0, 0, 20, 20}, 0.99, 7}}), 0.5);
  EXPECT_EQ(ap({one}, 1), -1);
  ancestors[7] = {8};
  EXPECT_EQ(ap({one}, 1), 0);
  EXPECT_EQ(ap({{1, {0, 0, 20, 20}, 0.9, 8}}, 1), 1);
}

}  // namespace
}  // namespace effdet::eval
