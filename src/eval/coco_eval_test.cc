// The twelve numbers against those of pycocotools.
#include "eval/coco_eval.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "eval/coco_summary.h"
#include "eval/test_support.h"

namespace effdet::eval {
namespace {

/// The twelve numbers on these images.
struct Summary {
  std::vector<double> stats;
  std::vector<std::string> lines;
};

CocoEvaluation evaluate_on(const GroundTruth& dataset, std::span<const CocoResult> results,
                           std::vector<int64_t> image_ids) {
  CocoParams params = CocoParams::all_of(dataset);
  params.image_ids = std::move(image_ids);
  return evaluate_coco(dataset, results, std::move(params));
}

Summary summary_on(const GroundTruth& dataset, std::span<const CocoResult> results, std::vector<int64_t> image_ids) {
  Summary summary;
  for (const CocoMetric& metric : summarize(evaluate_on(dataset, results, std::move(image_ids)))) {
    summary.stats.push_back(metric.value);
    summary.lines.push_back(metric.line);
  }
  return summary;
}

TEST(CocoEval, EqualsPycocotoolsInEveryBit) {
  const auto dataset = read_coco_dataset(golden("coco_dataset.json"));
  const auto results = read_coco_results(golden("coco_results.json"), dataset).results;
  for (const auto& expected : load_json(golden("coco_expected.json"))) {
    const auto image_ids = expected["image_ids"].get<std::vector<int64_t>>();
    const Summary summary = summary_on(dataset, results, image_ids);
    EXPECT_EQ(summary.stats, expected["stats"].get<std::vector<double>>());
    EXPECT_EQ(summary.lines, expected["lines"].get<std::vector<std::string>>());
    const auto categories = summarize_categories(evaluate_on(dataset, results, image_ids));
    ASSERT_EQ(categories.size(), expected["categories"].size());
    for (size_t i = 0; i < categories.size(); ++i) {
      EXPECT_EQ(categories[i].id, expected["categories"][i][0].get<int64_t>());
      EXPECT_EQ(categories[i].ap, expected["categories"][i][1].get<double>());
    }
  }
}

TEST(CocoEval, EqualsPycocotoolsOnTheSharedResults) {
  const auto folder = shared_folder() / "reference/golden/d0_256_coco";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const auto dataset = read_coco_dataset(shared_folder() / "coco_data/annotations/instances_val2017.json");
  const auto results = read_coco_results(folder / "results.json", dataset).results;
  const Summary evaluation = summary_on(dataset, results, dataset.sorted_image_ids());
  const auto expected = load_json(folder / "stats.json");
  for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(evaluation.stats[i], expected[i].get<double>(), 1e-9) << i;
}

TEST(CocoEval, ImagesWithoutResultsCountAsInPycocotools) {
  const auto folder = shared_folder() / "reference/golden/d0_256_coco";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const auto dataset = read_coco_dataset(shared_folder() / "coco_data/annotations/instances_val2017.json");
  const auto all = read_coco_results(folder / "results.json", dataset).results;
  for (const auto& [threshold, ap] : {std::pair(0.5, 0.5052659783530479), std::pair(0.95, 0.4543451577194123)}) {
    std::vector<CocoResult> best;
    std::copy_if(all.begin(), all.end(), std::back_inserter(best),
                 [limit = threshold](const CocoResult& result) { return result.score >= limit; });
    EXPECT_EQ(summary_on(dataset, best, dataset.sorted_image_ids()).stats[0], ap) << threshold;
  }
}

TEST(CocoEval, NothingFoundAndNothingToFind) {
  const auto dataset = read_coco_dataset(golden("coco_dataset.json"));
  const auto ids = dataset.sorted_image_ids();
  EXPECT_EQ(summary_on(dataset, {}, ids).stats[0], 0);
  EXPECT_EQ(summary_on(dataset, {}, {}).stats[0], -1);
  EXPECT_EQ(summary_on(GroundTruth(), {}, ids).stats[11], -1);
  EXPECT_EQ(summary_on(dataset, {}, {}).lines[0],
            " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = -1.000");
}

TEST(CocoEval, EqualsPycocotoolsOnFilesOfTheField) {
  for (const auto& expected : load_json(golden("coco_field.json"))) {
    const std::string name = expected["name"];
    const auto dataset = parse_coco_dataset(expected["annotations"].get<std::string>(), "gt.json");
    const auto file = parse_coco_results(expected["results"].get<std::string>(), "dt.json", dataset);
    const Summary evaluation = summary_on(dataset, file.results, dataset.sorted_image_ids());
    for (size_t i = 0; i < evaluation.stats.size(); ++i)
      EXPECT_EQ(evaluation.stats[i], expected["stats"][i].get<double>()) << name << ": stats[" << i << "]";
    size_t left_out = 0;
    for (const auto* notes : {&dataset.notes, &file.notes})
      for (const std::string& note : *notes) left_out += std::stoul(note.substr(note.find(": ") + 2));
    EXPECT_EQ(left_out, expected["left_out"].get<size_t>()) << name;
  }
}

}  // namespace
}  // namespace effdet::eval
