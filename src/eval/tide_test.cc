// TIDE's errors against those of tidecv.
#include "eval/tide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "eval/test_support.h"

namespace effdet::eval {
namespace {

TEST(Tide, EqualsTidecv) {
  const auto dataset = read_coco_dataset(golden("coco_dataset.json"));
  const nlohmann::json results = load_json(golden("coco_results.json"));
  CocoParams params = CocoParams::all_of(dataset);
  params.settle();
  ThreadPool alone(1), team(3);
  for (const auto& expected : load_json(golden("tide.json"))) {
    const auto count = expected["results"].get<size_t>();
    SCOPED_TRACE(count);
    nlohmann::json first = nlohmann::json::array();
    for (size_t i = 0; i < count; ++i) first.push_back(results[i]);
    const auto found = parse_coco_results(first.dump(), "dt.json", dataset).results;
    const TideErrors errors = find_tide_errors(dataset, found, params, alone);
    EXPECT_NEAR(errors.ap, expected["ap"].get<double>(), 1e-9);
    constexpr const char* kNames[] = {"Cls", "Loc", "Both", "Dupe", "Bkg", "Miss"};
    for (size_t kind = 0; kind < kNumTideKinds; ++kind) {
      EXPECT_NEAR(errors.costs[kind], expected["costs"][kNames[kind]].get<double>(), 1e-9) << kNames[kind];
      EXPECT_EQ(errors.counts[kind], expected["counts"][kNames[kind]].get<size_t>()) << kNames[kind];
    }
    EXPECT_NEAR(errors.false_positives, expected["special"]["FalsePos"].get<double>(), 1e-9);
    EXPECT_NEAR(errors.false_negatives, expected["special"]["FalseNeg"].get<double>(), 1e-9);
    EXPECT_EQ(find_tide_errors(dataset, found, params, team), errors);
  }
}

TEST(Tide, ManyImagesGiveTheSameBitsAtAnyNumberOfThreads) {
  GroundTruth dataset;
  std::vector<CocoResult> results;
  const auto values = noise(6, 3000);
  for (int64_t i = 0; i < 300; ++i) {
    dataset.image_index.emplace(i, dataset.images.size());
    dataset.images.push_back({.id = i});
  }
  for (int64_t k = 0; k < 5; ++k) dataset.categories.push_back({.id = k});
  for (size_t i = 0; i + 6 <= values.size(); i += 2) {
    const auto number = static_cast<int64_t>(i);
    const std::array<double, 4> box{values[i] * 60.0, values[i + 1] * 20.0, 40, 40 + values[i + 2]};
    dataset.annotations.push_back({.id = number + 1,
                                   .image_id = number * 7 % 300,
                                   .category_id = number % 5,
                                   .bbox = box,
                                   .area = 1600,
                                   .is_crowd = i % 20 == 0});
    // Few scores, so that many are equal.
    results.push_back({number * 7 % 300,
                       {values[i + 3] * 60.0, box[1], 40, 40},
                       static_cast<double>(i % 16) / 16,
                       static_cast<int64_t>(values[i + 4] * 5)});
  }
  CocoParams params = CocoParams::all_of(dataset);
  params.settle();
  ThreadPool alone(1), pool(3);
  const TideErrors one = find_tide_errors(dataset, results, params, alone);
  EXPECT_GT(one.ap, 0);
  for (const size_t count : one.counts) EXPECT_GT(count, 0U);
  EXPECT_EQ(find_tide_errors(dataset, results, params, pool), one);
}

}  // namespace
}  // namespace effdet::eval
