// The arrays under all parameters: against pycocotools' and, on random sets, against an evaluator as simple as its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include "eval/coco_eval.h"
#include "eval/naive_evaluator_test_util.h"
#include "eval/test_support.h"

namespace effdet::eval {
namespace {

CocoParams params_of(const nlohmann::json& choice, const GroundTruth& dataset) {
  CocoParams params = CocoParams::all_of(dataset);
  params.use_categories = choice.value("useCats", 1) != 0;
  params.image_ids = choice.value("imgIds", params.image_ids);
  params.category_ids = choice.value("catIds", params.category_ids);
  params.max_detections = choice.value("maxDets", params.max_detections);
  params.iou_thresholds = choice.value("iouThrs", params.iou_thresholds);
  params.recall_thresholds = choice.value("recThrs", params.recall_thresholds);
  if (choice.contains("areaRng")) {
    params.area_ranges.clear();
    for (const auto& range : choice["areaRng"])
      params.area_ranges.push_back({std::to_string(params.area_ranges.size()), range[0], range[1]});
  }
  return params;
}

TEST(CocoArrays, EqualPycocotoolsInEveryBit) {
  const auto expected = load_json(golden("coco_arrays.json"));
  std::map<std::string, std::pair<GroundTruth, std::vector<CocoResult>>> sets;
  const auto edges = parse_coco_dataset(expected["annotations"].get<std::string>(), "gt.json");
  sets["edges"] = {edges, parse_coco_results(expected["results"].get<std::string>(), "dt.json", edges).results};
  const auto random = read_coco_dataset(golden("coco_dataset.json"));
  sets["random"] = {random, read_coco_results(golden("coco_results.json"), random).results};
  for (const auto& test : expected["cases"]) {
    const auto& [dataset, results] = sets.at(test["set"]);
    SCOPED_TRACE(test["set"].get<std::string>() + " " + test["params"].dump());
    const CocoArrays arrays =
        evaluate_coco(dataset, results, params_of(test["params"], dataset), CocoOutput::kAllArrays).arrays;
    EXPECT_EQ((std::vector{arrays.thresholds, arrays.recalls, arrays.categories, arrays.areas, arrays.limits}),
              test["counts"].get<std::vector<size_t>>());
    EXPECT_EQ(fnv1a(arrays.precision), test["precision"].get<std::string>());
    EXPECT_EQ(fnv1a(arrays.recall), test["recall"].get<std::string>());
    EXPECT_EQ(fnv1a(arrays.scores), test["scores"].get<std::string>());
  }
}

/// Boxes on a coarse grid, so that places, areas, IoUs and scores are often equal.
class RandomSet {
 public:
  explicit RandomSet(unsigned seed) : random_(seed) {
    for (int i = 0; i < 8; ++i) add_image(i * i);
    for (int i = 0; i < 5; ++i) dataset.categories.push_back({i * 3, "class"});
    for (int i = 0; i < 60; ++i)
      dataset.annotations.push_back({.id = i,
                                     .image_id = pick(8) * pick(8) % 50,
                                     .category_id = pick(4) * 3,
                                     .bbox = box(),
                                     .area = 100.0 * pick(30),
                                     .is_crowd = pick(6) == 0});
    for (int i = 0; i < 400; ++i)
      results.push_back(
          {.image_id = pick(8) * pick(8), .bbox = box(), .score = pick(12) / 10.0, .category_id = pick(6) * 3});
  }

  CocoParams params() {
    CocoParams params = CocoParams::all_of(dataset);
    params.use_categories = pick(4) != 0;
    if (pick(2) == 0) params.image_ids.resize(5);
    if (pick(3) == 0) params.category_ids.resize(3);
    if (pick(2) == 0) params.iou_thresholds = linspace(0, 1, 1 + static_cast<size_t>(pick(20)));
    if (pick(2) == 0) params.recall_thresholds = linspace(0, 1, 11);
    if (pick(2) == 0) params.area_ranges = {{"all", 0, 1e10}, {"tiny", 0, 400}, {"one", 900, 900}};
    params.max_detections = {1, 1 + static_cast<size_t>(pick(4)), 8};
    params.settle();
    return params;
  }

  GroundTruth dataset;
  std::vector<CocoResult> results;

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  std::array<double, 4> box() { return {10.0 * pick(4), 10.0 * pick(4), 10.0 * pick(4), 10.0 + 10.0 * pick(3)}; }
  void add_image(int64_t id) {
    dataset.image_index[id] = dataset.images.size();
    dataset.images.push_back({.id = id, .file_name = {}});
  }

  std::mt19937 random_;
};

TEST(CocoArrays, EqualTheNaiveEvaluationAtAnyNumberOfThreads) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    RandomSet set(seed);
    const CocoParams params = set.params();
    const CocoArrays expected = NaiveEvaluator(set.dataset, set.results, params).run();
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      const auto full = evaluate_coco(set.dataset, set.results, params, CocoOutput::kAllArrays, &pool).arrays;
      ASSERT_EQ(full.precision, expected.precision);
      ASSERT_EQ(full.recall, expected.recall);
      ASSERT_EQ(full.scores, expected.scores);
      const auto summary = evaluate_coco(set.dataset, set.results, params, CocoOutput::kSummary, &pool).arrays;
      ASSERT_EQ(summary.recall, expected.recall);
      for (size_t t = 0; t < expected.thresholds; ++t)
        for (size_t r = 0; r < expected.recalls; ++r)
          for (size_t k = 0; k < expected.categories; ++k)
            for (size_t a = 0; a < expected.areas; ++a)
              ASSERT_EQ(summary.precision[summary.precision_index(t, r, k, a, 0)],
                        expected.precision[expected.precision_index(t, r, k, a, expected.limits - 1)]);
    }
  }
}

/// More scores than are sorted by comparing, of all magnitudes, equal ones and both zeros.
TEST(CocoArrays, ManyScoresAreRankedAsByAStableSort) {
  RandomSet set(99);
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    CocoResult result = set.results[random() % set.results.size()];
    const double scores[] = {0.0, -0.0, -1.5, 1e-300, 0.25, std::ldexp(1.0, static_cast<int>(random() % 64) - 40)};
    result.score = scores[random() % 6];
    set.results.push_back(result);
  }
  CocoParams params = CocoParams::all_of(set.dataset);
  params.use_categories = false;
  params.max_detections = {50, 1000};
  params.recall_thresholds = linspace(0, 1, 41);
  const CocoArrays expected = NaiveEvaluator(set.dataset, set.results, params).run();
  const CocoArrays arrays = evaluate_coco(set.dataset, set.results, params, CocoOutput::kAllArrays).arrays;
  EXPECT_EQ(arrays.precision, expected.precision);
  EXPECT_EQ(arrays.recall, expected.recall);
  EXPECT_EQ(arrays.scores, expected.scores);
}

TEST(CocoParams, RefusesWhatCannotBeEvaluated) {
  const auto error = [](auto change) {
    CocoParams params;
    change(params);
    try {
      params.settle();
    } catch (const Error& refused) {
      return std::string(refused.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error([](auto&) {}), "no error");
  EXPECT_EQ(error([](auto& p) { p.iou_thresholds = {}; }), "evaluation: no IoU threshold is given");
  EXPECT_EQ(error([](auto& p) { p.recall_thresholds = {1.5}; }), "evaluation: recall threshold 1.5 is not in [0, 1]");
  EXPECT_EQ(error([](auto& p) { p.area_ranges = {{"x", 5, 4}}; }), "evaluation: area range 'x' is from 5 to 4");
  EXPECT_EQ(error([](auto& p) {
              p.area_ranges.push_back({"all", 0, 1});
            }),
            "evaluation: two area ranges are called 'all'");
  EXPECT_EQ(error([](auto& p) {
              p.max_detections = {10, 0};
            }),
            "evaluation: the numbers of detections an image begin at 1");
}

}  // namespace
}  // namespace effdet::eval
