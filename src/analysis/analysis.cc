// Curves first, which say what the score threshold is; then the images, in parallel; then sizes.
#include "analysis/analysis.h"

#include <algorithm>
#include <utility>

#include "analysis/calibration.h"
#include "analysis/confusions.h"
#include "analysis/image_overlaps.h"
#include "analysis/label_errors.h"
#include "analysis/matches.h"
#include "analysis/object_sizes.h"
#include "analysis/score_curves.h"
#include "analysis/worst_images.h"
#include "base/error.h"

namespace effdet::analysis {
namespace {

constexpr double kThresholdWithoutBest = 0.5;
constexpr size_t kImagesInTask = 64;

void check_number(const char* what, size_t value, size_t low, size_t high) {
  if (value < low || value > high)
    fail(ErrorCode::kUsage, "analysis: {} is {}, possible are {} to {}", what, value, low, high);
}

/// What is wrong in some of the images, in their order.
struct ImageErrors {
  std::vector<Confused> confusions;
  Suspects suspects;
  std::vector<ImageCounts> counts;

  void append(ImageErrors part) {
    const auto move_to = [](auto& from, auto& to) { to.insert(to.end(), from.begin(), from.end()); };
    move_to(part.confusions, confusions);
    move_to(part.suspects.missing_boxes, suspects.missing_boxes);
    move_to(part.suspects.wrong_categories, suspects.wrong_categories);
    move_to(part.suspects.never_found, suspects.never_found);
    move_to(part.counts, counts);
  }
};

class Analyser {
 public:
  Analyser(const Matches& matches, const AnalysisOptions& options, ThreadPool& pool, EvaluationAnalysis& analysis)
      : matches_(matches), options_(options), pool_(pool), analysis_(analysis) {}

  void draw_curves() {
    size_t num_objects = 0;
    for (size_t k = 0; k < matches_.num_categories(); ++k) num_objects += matches_.num_objects(k);
    const std::vector<ScoredDetection> ranked = ranked_detections(matches_, kAllCategories);
    choose_threshold(best_point(ranked, num_objects));
    analysis_.thresholds = curve_thresholds(ranked, options_.curve_points);
    analysis_.all = analyse_scores(ranked, num_objects);
    analysis_.categories.resize(matches_.num_categories());
    pool_.parallel_for(static_cast<int64_t>(matches_.num_categories()), [&](int64_t task, int) {
      const auto k = static_cast<size_t>(task);
      analysis_.categories[k] = analyse_scores(ranked_detections(matches_, k), matches_.num_objects(k));
    });
  }

  void find_errors() {
    const size_t count = matches_.num_images(), tasks = (count + kImagesInTask - 1) / kImagesInTask;
    std::vector<ImageErrors> parts(tasks);
    pool_.parallel_for(static_cast<int64_t>(tasks), [&](int64_t task, int) {
      const size_t begin = static_cast<size_t>(task) * kImagesInTask;
      parts[static_cast<size_t>(task)] = errors_of(begin, std::min(begin + kImagesInTask, count));
    });
    ImageErrors errors;
    for (ImageErrors& part : parts) errors.append(std::move(part));
    analysis_.confusion =
        confusion_matrix(std::move(errors.confusions), matches_.num_categories(), options_.max_confusions);
    analysis_.label_errors = label_errors(std::move(errors.suspects), matches_.dataset(), options_.max_label_errors);
    analysis_.worst_images = worst_images(matches_, errors.counts, analysis_.score_threshold, options_);
  }

 private:
  void choose_threshold(const std::optional<OperatingPoint>& best) {
    analysis_.is_best_threshold = !options_.score_threshold && best;
    analysis_.score_threshold = options_.score_threshold.value_or(best ? best->threshold : kThresholdWithoutBest);
  }

  CategoryAnalysis analyse_scores(std::span<const ScoredDetection> ranked, size_t num_objects) const {
    return {.curve = score_curve(ranked, num_objects, analysis_.thresholds, analysis_.score_threshold),
            .calibration = calibrate(ranked, options_.calibration_bins)};
  }

  ImageErrors errors_of(size_t begin, size_t end) const {
    const auto background = static_cast<uint32_t>(matches_.num_categories());
    // As pycocotools has it, equal boxes match at an IoU of 1, whatever their IoU is rounded to.
    const double iou = std::min(analysis_.iou_threshold, 1 - 1e-10), score = analysis_.score_threshold;
    ImageErrors errors;
    ImageContent content;
    ImageOverlaps overlaps;
    for (size_t image = begin; image < end; ++image) {
      matches_.read(image, content);
      overlaps.measure(content);
      add_confusions(content, overlaps, iou, score, background, errors.confusions);
      add_suspects(content, overlaps, iou, score, errors.suspects);
      errors.counts.push_back(count_errors(content, score));
    }
    return errors;
  }

  const Matches& matches_;
  const AnalysisOptions& options_;
  ThreadPool& pool_;
  EvaluationAnalysis& analysis_;
};

PrecisionCurves take_precision(eval::CocoEvaluation& evaluation) {
  eval::CocoArrays& arrays = evaluation.arrays;
  PrecisionCurves curves{.iou_thresholds = evaluation.params.iou_thresholds,
                         .recall_thresholds = evaluation.params.recall_thresholds,
                         .areas = {},
                         .num_categories = arrays.categories,
                         .values = {}};
  for (const eval::AreaRange& range : evaluation.params.area_ranges) curves.areas.push_back(range.label);
  if (arrays.scores.empty()) {  // the summary's arrays have this order
    curves.values = std::exchange(arrays.precision, {});
    return curves;
  }
  curves.values.reserve(arrays.precision.size() / arrays.precision_limits);
  for (size_t k = 0; k < arrays.categories; ++k)
    for (size_t a = 0; a < arrays.areas; ++a)
      for (size_t t = 0; t < arrays.thresholds; ++t)
        for (size_t r = 0; r < arrays.recalls; ++r)
          curves.values.push_back(arrays.precision[arrays.precision_index(t, r, k, a, arrays.precision_limits - 1)]);
  return curves;
}

}  // namespace

void check_options(const AnalysisOptions& options) {
  if (!(options.iou_threshold > 0 && options.iou_threshold <= 1))
    fail(ErrorCode::kUsage, "analysis: the IoU threshold is {}, possible is what is above 0 and at most 1",
         options.iou_threshold);
  if (options.score_threshold && !(*options.score_threshold == *options.score_threshold))
    fail(ErrorCode::kUsage, "analysis: the score threshold is no number");
  check_number("the number of points of a curve", options.curve_points, 2, 10001);
  check_number("the number of bins", options.calibration_bins, 1, 1000);
  check_number("the number of sizes of objects", options.object_sides.size() + 1, 1, 100);
  double last = 0;
  for (const double side : options.object_sides) {
    if (!(side > last && side <= 1e9))
      fail(ErrorCode::kUsage, "analysis: sizes of objects have to rise from above 0 to at most 1e9, but {} follows {}",
           side, last);
    last = side;
  }
}

EvaluationAnalysis analyse(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
                           eval::CocoEvaluation& evaluation, const AnalysisOptions& options, ThreadPool& pool) {
  check_options(options);
  EvaluationAnalysis analysis;
  analysis.iou_threshold = options.iou_threshold;
  const Matches matches(dataset, results, evaluation.params, options.iou_threshold, pool);
  Analyser analyser(matches, options, pool, analysis);
  analyser.draw_curves();
  analyser.find_errors();
  analysis.sizes = evaluate_sizes(matches, results, analysis.score_threshold, options.object_sides, pool);
  analysis.precision = take_precision(evaluation);
  return analysis;
}

}  // namespace effdet::analysis
