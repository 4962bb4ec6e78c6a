// TIDE's errors against those of tidecv.
#include "eval/tide.h"

#include <gtest/gtest.h>

#include <algorithm>

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

}  // namespace
}  // namespace effdet::eval
