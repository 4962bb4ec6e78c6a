// Evaluates result files on the images that they are about, and converts the numbers to the public form.
#include "dataset/evaluation.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "analysis/analysis.h"
#include "analysis/comparison.h"
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

eval::CocoParams params_of(const eval::GroundTruth& dataset, std::span<const int64_t> image_ids) {
  eval::CocoParams params = default_params(dataset);
  params.image_ids.assign(image_ids.begin(), image_ids.end());
  return params;
}

/// Those that the rules let count; kept holds them where these are not all.
std::span<const eval::CocoResult> counted(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
                                          const eval::CocoParams& params, std::vector<eval::CocoResult>& kept) {
  if (dataset.rules != eval::Rules::kLvis) return results;
  kept.assign(results.begin(), results.end());
  eval::keep_lvis_results(dataset, params.max_detections.back(), kept);
  return kept;
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
  eval::CocoParams params = params_of(dataset, image_ids);
  std::vector<eval::CocoResult> kept;
  results = counted(dataset, results, params, kept);
  ThreadPool pool(default_thread_count());
  eval::CocoEvaluation coco =
      eval::evaluate_coco(dataset, results, std::move(params), eval::CocoOutput::kSummary, &pool);
  Evaluation evaluation = to_public(dataset, coco);
  explain(dataset, results, explanations, coco, evaluation, pool);
  return evaluation;
}

DetectOptions detect_options_for(const eval::GroundTruth& dataset, DetectOptions options) {
  constexpr int kOfLvis = 300;
  if (dataset.rules == eval::Rules::kLvis && options.max_detections == DetectOptions().max_detections)
    options.max_detections = kOfLvis;
  return options;
}

double map_of(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
              std::span<const int64_t> image_ids) {
  eval::CocoParams params = params_of(dataset, image_ids);
  params.area_ranges.resize(1);
  params.max_detections = {params.max_detections.back()};
  std::vector<eval::CocoResult> kept;
  results = counted(dataset, results, params, kept);
  return eval::summarize(eval::evaluate_coco(dataset, results, std::move(params))).front().value;
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

namespace effdet::dataset {
namespace {

/// Evaluates the files of one call, which share their options.
class FileEvaluation {
 public:
  FileEvaluation(const std::filesystem::path& annotations, const EvaluateOptions& options, int threads)
      : options_(options),
        bad_records_(options.strict ? eval::BadRecords::kRefuse : eval::BadRecords::kLeaveOut),
        pool_(threads > 0 ? threads : default_thread_count()),
        progress_(options.progress),
        truth_(eval::read_coco_dataset(
            annotations, bad_records_, &pool_,
            options.rules == EvaluationRules::kLvis ? eval::Rules::kLvis : eval::Rules::kCoco, &progress_)),
        params_(evaluation_params(options, truth_)) {
    if (options.comparison) analysis::check_options(*options.comparison, params_);
    if (!options.category_map.empty()) categories_ = read_result_map(options.category_map, truth_);
  }

  Evaluation run(const std::filesystem::path& results) {
    eval::CocoResultFile found = read(results), other;
    if (options_.comparison) other = read(options_.comparison->against);
    if (options_.only_images_with_results) keep_images_with_results({found.results, other.results}, params_);
    keep_results(results, found);
    std::optional<analysis::MatchedEvents> events;
    if (options_.comparison) events.emplace(params_);
    eval::CocoEvaluation coco =
        evaluate(found, options_.arrays.empty() ? eval::CocoOutput::kSummary : eval::CocoOutput::kAllArrays, events);
    if (!options_.arrays.empty()) write_arrays(options_.arrays, coco, truth_.rules);
    Evaluation evaluation = to_public(truth_, coco);
    evaluation.notes.insert(evaluation.notes.end(), found.notes.begin(), found.notes.end());
    if (options_.comparison) evaluation.comparison = compare({found.results, coco, *events}, other, evaluation.notes);
    explain(truth_, found.results, {options_.error_analysis, options_.analysis}, coco, evaluation, pool_);
    return evaluation;
  }

 private:
  eval::CocoResultFile read(const std::filesystem::path& results) {
    eval::CocoResultFile file = eval::read_coco_results(
        results, truth_, bad_records_, &pool_, options_.category_map.empty() ? nullptr : &categories_, &progress_);
    if (options_.comparison && file.unlisted > 0)
      bad_input("{}: {} results are of categories that the annotation file does not list, which cannot be compared",
                results.string(), file.unlisted);
    return file;
  }

  /// Of those of LVIS only the ones that count.
  void keep_results(const std::filesystem::path& path, eval::CocoResultFile& file) const {
    if (truth_.rules != eval::Rules::kLvis) return;
    for (const std::string& note : eval::keep_lvis_results(truth_, params_.max_detections.back(), file.results))
      file.notes.push_back(fmt::format("{}: {}", path.string(), note));
  }

  eval::CocoEvaluation evaluate(const eval::CocoResultFile& file, eval::CocoOutput output,
                                std::optional<analysis::MatchedEvents>& events) {
    return eval::evaluate_coco(truth_, file.results, params_, output, &pool_, &progress_,
                               events ? events->see() : eval::SeeMatches());
  }

  EvaluationComparison compare(const analysis::ComparedFile& file, eval::CocoResultFile& other,
                               std::vector<std::string>& notes) {
    keep_results(options_.comparison->against, other);
    notes.insert(notes.end(), other.notes.begin(), other.notes.end());
    std::optional<analysis::MatchedEvents> events(params_);
    const eval::CocoEvaluation coco = evaluate(other, eval::CocoOutput::kSummary, events);
    return analysis::compare(truth_, file, {other.results, coco, *events}, *options_.comparison, pool_, &progress_);
  }

  const EvaluateOptions& options_;
  eval::BadRecords bad_records_;
  ThreadPool pool_;
  eval::WorkProgress progress_;
  eval::GroundTruth truth_;
  eval::CocoParams params_;
  eval::CategoryIdMap categories_;
};

}  // namespace
}  // namespace effdet::dataset

namespace effdet {

Evaluation evaluate_results(const std::filesystem::path& annotations, const std::filesystem::path& results,
                            const EvaluateOptions& options, int threads) {
  dataset::require_order(annotations, results);
  if (options.comparison) dataset::require_order(annotations, options.comparison->against);
  if (options.analysis) analysis::check_options(*options.analysis);
  if (!options.arrays.empty()) check_output_path(options.arrays);
  return dataset::FileEvaluation(annotations, options, threads).run(results);
}

}  // namespace effdet
