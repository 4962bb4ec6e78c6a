// Evaluates result files on the images that they are about, and converts the numbers to the public form.
#include "dataset/evaluation.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "analysis/analysis.h"
#include "base/error.h"
#include "base/file.h"
#include "dataset/category_map.h"
#include "dataset/evaluation_arrays.h"
#include "dataset/evaluation_params.h"
#include "effdet/dataset.h"
#include "eval/coco_eval.h"
#include "eval/coco_summary.h"
#include "eval/lvis.h"
#include "eval/tide.h"

namespace effdet::dataset {
namespace {

/// Both files are JSON: annotations an object, results a list. Anything else is left to their readers.
void require_order(const std::filesystem::path& annotations, const std::filesystem::path& results) {
  const auto begins_with = [](const std::filesystem::path& path, char open) {
    const MappedFile file(path);
    const auto bytes = file.bytes();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == open;
  };
  if (begins_with(annotations, '[') && begins_with(results, '{'))
    fail(ErrorCode::kUsage, "{} holds results and {} annotations: give the annotation file first, then the results",
         annotations.string(), results.string());
}

std::array<double, 12> stats_of(const std::vector<Evaluation::Metric>& metrics) {
  constexpr std::array<std::string_view, 12> kNames = {"AP",  "AP50", "AP75",  "AP_small", "AP_medium", "AP_large",
                                                       "AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large"};
  std::array<double, 12> stats;
  for (size_t i = 0; i < kNames.size(); ++i) {
    const auto metric = std::ranges::find(metrics, kNames[i], &Evaluation::Metric::name);
    stats[i] = metric == metrics.end() ? -1 : metric->value;
  }
  return stats;
}

void add_categories(const eval::GroundTruth& dataset, const eval::CocoEvaluation& coco, Evaluation& evaluation) {
  std::unordered_map<int64_t, const eval::Category*> known;
  for (const eval::Category& category : dataset.categories) known.emplace(category.id, &category);
  for (eval::CocoCategory& category : eval::summarize_categories(coco)) {
    const auto found = known.find(category.id);
    const eval::Category unnamed;
    const eval::Category& described = found == known.end() ? unnamed : *found->second;
    evaluation.categories.push_back({.id = category.id,
                                     .name = coco.params.use_categories ? described.name : "(all categories)",
                                     .ap = category.ap,
                                     .ap50 = category.ap50,
                                     .ap75 = category.ap75,
                                     .ar = category.ar,
                                     .area_ap = std::move(category.area_ap),
                                     .objects = category.objects,
                                     .detections = category.detections,
                                     .frequency = described.frequency});
  }
}

Evaluation::ErrorAnalysis to_public(const eval::TideErrors& errors) {
  constexpr std::array<const char*, eval::kNumTideKinds> kNames = {"Cls", "Loc", "Both", "Dupe", "Bkg", "Miss"};
  Evaluation::ErrorAnalysis analysis;
  for (size_t kind = 0; kind < kNames.size(); ++kind)
    analysis.kinds.push_back({kNames[kind], errors.costs[kind] / 100, errors.counts[kind]});
  analysis.ap = errors.ap / 100;
  analysis.false_positives = errors.false_positives / 100;
  analysis.false_negatives = errors.false_negatives / 100;
  return analysis;
}

Evaluation to_public(const eval::GroundTruth& dataset, const eval::CocoEvaluation& coco) {
  const bool is_lvis = dataset.rules == eval::Rules::kLvis;
  Evaluation evaluation{.rules = is_lvis ? EvaluationRules::kLvis : EvaluationRules::kCoco};
  for (eval::CocoMetric& metric : is_lvis ? eval::summarize_lvis(dataset, coco) : eval::summarize(coco)) {
    evaluation.metrics.push_back({std::move(metric.name), metric.value});
    evaluation.summary.push_back(std::move(metric.line));
  }
  evaluation.stats = stats_of(evaluation.metrics);
  evaluation.images = coco.params.image_ids.size();
  evaluation.detections = coco.num_detections;
  evaluation.all_images = dataset.images.size();
  for (const eval::AreaRange& range : coco.params.area_ranges) evaluation.areas.push_back(range.label);
  add_categories(dataset, coco, evaluation);
  evaluation.notes = dataset.notes;
  return evaluation;
}

/// Adds what the numbers are made of. Takes the precision out of the arrays.
void explain(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
             const Explanations& explanations, eval::CocoEvaluation& coco, Evaluation& evaluation, ThreadPool& pool) {
  if (explanations.error_analysis && dataset.rules == eval::Rules::kCoco)
    evaluation.errors = to_public(eval::find_tide_errors(dataset, results, coco.params, pool));
  if (explanations.analysis)
    evaluation.analysis = analysis::analyse(dataset, results, coco, *explanations.analysis, pool);
}

}  // namespace

Evaluation evaluate(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
                    std::span<const int64_t> image_ids, const Explanations& explanations) {
  eval::CocoParams params = default_params(dataset);
  params.image_ids.assign(image_ids.begin(), image_ids.end());
  std::vector<eval::CocoResult> kept;
  if (dataset.rules == eval::Rules::kLvis) {
    kept.assign(results.begin(), results.end());
    eval::keep_lvis_results(dataset, params.max_detections.back(), kept);
    results = kept;
  }
  ThreadPool pool(default_thread_count());
  eval::CocoEvaluation coco =
      eval::evaluate_coco(dataset, results, std::move(params), eval::CocoOutput::kSummary, &pool);
  Evaluation evaluation = to_public(dataset, coco);
  explain(dataset, results, explanations, coco, evaluation, pool);
  return evaluation;
}

std::vector<eval::CocoResult> results_of(std::span<const eval::ImageRecord* const> images,
                                         std::span<const std::vector<Detection>> detections, const ClassMap& classes) {
  std::vector<eval::CocoResult> results;
  for (size_t i = 0; i < images.size(); ++i) eval::append_results(images[i]->id, detections[i], results);
  for (eval::CocoResult& result : results) result.category_id = classes.category_of(result.category_id);
  std::erase_if(results, [](const eval::CocoResult& result) { return result.category_id == ClassMap::kNone; });
  return results;
}

void write_evaluated(const std::filesystem::path& path, std::span<const eval::CocoResult> results,
                     const eval::GroundTruth& dataset, const Evaluation& evaluation) try {
  if (!path.empty()) eval::write_coco_results(path, results, dataset);
} catch (const Error& error) {
  const auto& stats = evaluation.stats;
  fail(error.code(), "{}; AP {:.3f}, AP50 {:.3f}, AP75 {:.3f}, AR100 {:.3f} of {} images", error.what(), stats[0],
       stats[1], stats[2], stats[8], evaluation.images);
}

std::vector<int64_t> ids_of(std::span<const eval::ImageRecord* const> images) {
  std::vector<int64_t> ids;
  for (const eval::ImageRecord* image : images) ids.push_back(image->id);
  return ids;
}

}  // namespace effdet::dataset

namespace effdet {

Evaluation evaluate_results(const std::filesystem::path& annotations, const std::filesystem::path& results,
                            const EvaluateOptions& options, int threads) {
  const eval::BadRecords bad_records = options.strict ? eval::BadRecords::kRefuse : eval::BadRecords::kLeaveOut;
  dataset::require_order(annotations, results);
  if (options.analysis) analysis::check_options(*options.analysis);
  if (!options.arrays.empty()) check_output_path(options.arrays);
  ThreadPool pool(threads > 0 ? threads : default_thread_count());
  const eval::Rules rules = options.rules == EvaluationRules::kLvis ? eval::Rules::kLvis : eval::Rules::kCoco;
  eval::WorkProgress progress(options.progress);
  const eval::GroundTruth truth = eval::read_coco_dataset(annotations, bad_records, &pool, rules, &progress);
  eval::CocoParams params = dataset::evaluation_params(options, truth);
  eval::CategoryIdMap categories;
  if (!options.category_map.empty()) categories = dataset::read_result_map(options.category_map, truth);
  eval::CocoResultFile found = eval::read_coco_results(results, truth, bad_records, &pool,
                                                       options.category_map.empty() ? nullptr : &categories, &progress);
  if (options.only_images_with_results) dataset::keep_images_with_results(found.results, params);
  if (rules == eval::Rules::kLvis)
    for (const std::string& note : eval::keep_lvis_results(truth, params.max_detections.back(), found.results))
      found.notes.push_back(fmt::format("{}: {}", results.string(), note));
  eval::CocoEvaluation coco = eval::evaluate_coco(
      truth, found.results, std::move(params),
      options.arrays.empty() ? eval::CocoOutput::kSummary : eval::CocoOutput::kAllArrays, &pool, &progress);
  if (!options.arrays.empty()) dataset::write_arrays(options.arrays, coco, rules);
  Evaluation evaluation = dataset::to_public(truth, coco);
  dataset::explain(truth, found.results, {options.error_analysis, options.analysis}, coco, evaluation, pool);
  evaluation.notes.insert(evaluation.notes.end(), found.notes.begin(), found.notes.end());
  return evaluation;
}

}  // namespace effdet
