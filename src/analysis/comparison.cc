// Differences of the numbers, then their intervals, then what changed most.
#include "analysis/comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "analysis/bootstrap.h"
#include "analysis/category_resamples.h"
#include "analysis/changed_images.h"
#include "analysis/matches.h"
#include "base/error.h"
#include "eval/coco_summary.h"
#include "eval/lvis.h"

namespace effdet::analysis {
namespace {

constexpr double kLowShare = 0.025, kHighShare = 0.975;
constexpr size_t kMostResamples = 100'000, kMostResults = size_t{1} << 29;

/// Of sorted values, between two of them by linear interpolation, as numpy's percentile().
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

ComparedNumber compared(double value, double other) {
  ComparedNumber number{.value = value, .other = other};
  if (value >= 0 && other >= 0) number.difference = value - other;
  return number;
}

/// differences: of the resamples where the number is defined.
void add_interval(std::vector<double>& differences, ComparedNumber& number) {
  number.resamples = differences.size();
  if (std::isnan(number.difference) || differences.empty()) return;
  std::ranges::sort(differences);
  number.low = quantile(differences, kLowShare);
  number.high = quantile(differences, kHighShare);
  const auto [first, last] = std::ranges::equal_range(differences, 0.0);
  number.better = (static_cast<double>(differences.end() - last) + static_cast<double>(last - first) / 2) /
                  static_cast<double>(differences.size());
}

class Comparer {
 public:
  Comparer(const eval::GroundTruth& dataset, const ComparedFile& file, const ComparedFile& other,
           const ComparisonOptions& options, ThreadPool& pool)
      : dataset_(dataset),
        file_(file),
        other_(other),
        params_(file.evaluation.params),
        options_(options),
        pool_(pool),
        places_(params_) {}

  EvaluationComparison run(eval::WorkProgress* progress) {
    comparison_.against = options_.against.string();
    comparison_.other_detections = other_.evaluation.num_detections;
    comparison_.resamples = options_.resamples;
    comparison_.seed = options_.seed;
    compare_metrics();
    compare_categories();
    draw(progress);
    list_changed_categories();
    compare_images();
    return std::move(comparison_);
  }

 private:
  bool is_lvis() const { return dataset_.rules == eval::Rules::kLvis; }

  std::vector<eval::CocoMetric> metrics_of(const ComparedFile& file) const {
    return is_lvis() ? eval::summarize_lvis(dataset_, file.evaluation) : eval::summarize(file.evaluation);
  }

  void compare_metrics() {
    const auto metrics = metrics_of(file_), others = metrics_of(other_);
    for (size_t i = 0; i < metrics.size(); ++i)
      comparison_.metrics.push_back({metrics[i].name, compared(metrics[i].value, others[i].value)});
  }

  void compare_categories() {
    const auto categories = eval::summarize_categories(file_.evaluation);
    const auto others = eval::summarize_categories(other_.evaluation);
    for (size_t k = 0; k < categories.size(); ++k) {
      const eval::CocoCategory &a = categories[k], &b = others[k];
      EvaluationComparison::Category category{.ap = compared(a.ap, b.ap),
                                              .ap50 = compared(a.ap50, b.ap50),
                                              .ap75 = compared(a.ap75, b.ap75),
                                              .ar = compared(a.ar, b.ar),
                                              .area_ap = {},
                                              .other_detections = b.detections};
      for (size_t area = 0; area < a.area_ap.size(); ++area)
        category.area_ap.push_back(compared(a.area_ap[area], b.area_ap[area]));
      comparison_.categories.push_back(std::move(category));
    }
  }

  /// The bootstrap's means, in the order of the summary.
  std::vector<MeanNumber> means() const {
    const size_t first_recall = places_.recall(0);
    std::vector<MeanNumber> list;
    for (size_t place = 0; place < places_.size(); ++place) {
      if (place == first_recall && is_lvis())
        for (const char frequency : {'r', 'c', 'f'}) list.push_back({NumberPlaces::kAp, categories_of(frequency)});
      list.push_back({place});
    }
    return list;
  }

  std::vector<uint8_t> categories_of(char frequency) const {
    std::unordered_map<int64_t, char> frequencies;
    for (const eval::Category& category : dataset_.categories) frequencies.emplace(category.id, category.frequency);
    std::vector<uint8_t> chosen;
    for (const int64_t id : params_.category_ids) chosen.push_back(frequencies.at(id) == frequency ? 1 : 0);
    return chosen;
  }

  /// The category's number at that place, or nothing: AR is compared at the largest number of detections alone.
  ComparedNumber* number_at(size_t category, size_t place) {
    EvaluationComparison::Category& found = comparison_.categories[category];
    if (place == NumberPlaces::kAp) return &found.ap;
    if (place == NumberPlaces::kAp50) return &found.ap50;
    if (place == NumberPlaces::kAp75) return &found.ap75;
    if (place == places_.recall(params_.max_detections.size() - 1)) return &found.ar;
    return place < places_.recall(0) ? &found.area_ap[place - places_.area_ap(1)] : nullptr;
  }

  void draw(eval::WorkProgress* progress) {
    const std::vector<MeanNumber> means = this->means();
    const auto samples = bootstrap({&file_.events, &other_.events}, params_, means,
                                   {.resamples = options_.resamples, .seed = options_.seed}, pool_, progress,
                                   [&](size_t category, size_t place, std::vector<double>& differences) {
                                     ComparedNumber* number = number_at(category, place);
                                     if (number != nullptr) add_interval(differences, *number);
                                   });
    std::vector<double> differences;
    for (size_t m = 0; m < means.size(); ++m) {
      differences.clear();
      for (size_t i = m; i < samples[0].size(); i += means.size()) differences.push_back(samples[0][i] - samples[1][i]);
      std::erase_if(differences, [](double value) { return std::isnan(value); });
      add_interval(differences, comparison_.metrics[m].number);
    }
  }

  void list_changed_categories() {
    const auto change = [&](size_t k) { return std::abs(comparison_.categories[k].ap.difference); };
    std::vector<size_t>& order = comparison_.changed_categories;
    for (size_t k = 0; k < comparison_.categories.size(); ++k)
      if (change(k) > 0) order.push_back(k);  // NaN is not
    std::ranges::stable_sort(order, [&](size_t a, size_t b) { return change(a) > change(b); });
    comparison_.num_changed_categories = order.size();
    order.resize(std::min(order.size(), options_.max_categories));
  }

  void compare_images() {
    const Matches matches(dataset_, file_.results, params_, options_.iou_threshold, pool_);
    const Matches others(dataset_, other_.results, params_, options_.iou_threshold, pool_);
    comparison_.iou_threshold = options_.iou_threshold;
    comparison_.score_threshold = options_.score_threshold ? *options_.score_threshold : best_threshold(matches);
    comparison_.other_score_threshold = options_.score_threshold ? *options_.score_threshold : best_threshold(others);
    list_changed_images({&matches, comparison_.score_threshold}, {&others, comparison_.other_score_threshold}, options_,
                        comparison_);
  }

  const eval::GroundTruth& dataset_;
  const ComparedFile &file_, &other_;
  const eval::CocoParams& params_;
  const ComparisonOptions& options_;
  ThreadPool& pool_;
  NumberPlaces places_;
  EvaluationComparison comparison_;
};

}  // namespace

void check_options(const ComparisonOptions& options, const eval::CocoParams& params) {
  if (options.resamples < 1 || options.resamples > kMostResamples)
    fail(ErrorCode::kUsage, "comparison: the number of resamples is {}, possible are 1 to {}", options.resamples,
         kMostResamples);
  if (!(options.iou_threshold > 0 && options.iou_threshold <= 1))
    fail(ErrorCode::kUsage, "comparison: the IoU threshold is {}, possible is what is above 0 and at most 1",
         options.iou_threshold);
  if (options.score_threshold && std::isnan(*options.score_threshold))
    fail(ErrorCode::kUsage, "comparison: the score threshold is no number");
  if (!std::ranges::is_sorted(params.recall_thresholds))
    fail(ErrorCode::kUsage, "comparison: recall thresholds have to rise, but {} follows a larger one",
         *std::ranges::is_sorted_until(params.recall_thresholds));
}

EvaluationComparison compare(const eval::GroundTruth& dataset, const ComparedFile& file, const ComparedFile& other,
                             const ComparisonOptions& options, ThreadPool& pool, eval::WorkProgress* progress) {
  if (std::max(file.results.size(), other.results.size()) > kMostResults)
    fail(ErrorCode::kUnsupported, "comparison: more than {} results", kMostResults);
  return Comparer(dataset, file, other, options, pool).run(progress);
}

}  // namespace effdet::analysis
