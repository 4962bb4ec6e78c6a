// Walks down the scores once for each curve.
#include "analysis/score_curves.h"

#include <algorithm>
#include <cmath>

#include "eval/coco_params.h"
#include "eval/score_order.h"

namespace effdet::analysis {
namespace {

constexpr double kFurthestThreshold = 1e6;

double share(size_t part, size_t whole) {
  return whole == 0 ? -1 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Counts true and false detections while the threshold falls.
class Descent {
 public:
  explicit Descent(std::span<const ScoredDetection> ranked) : ranked_(ranked) {}

  void to(double threshold) {
    for (; next_ < ranked_.size() && ranked_[next_].score >= threshold; ++next_)
      true_positives += ranked_[next_].is_true ? 1 : 0;
  }
  size_t false_positives() const { return next_ - true_positives; }

  size_t true_positives = 0;

 private:
  std::span<const ScoredDetection> ranked_;
  size_t next_ = 0;
};

OperatingPoint point_at(double threshold, std::span<const ScoredDetection> ranked, size_t num_objects) {
  Descent descent(ranked);
  descent.to(threshold);
  return operating_point(threshold, descent.true_positives, descent.false_positives(), num_objects);
}

}  // namespace

std::vector<ScoredDetection> ranked_detections(const Matches& matches, size_t category) {
  const bool all = category == kAllCategories;
  const size_t begin = all ? 0 : matches.first_place(category);
  const size_t end = all ? matches.scores().size() : matches.first_place(category + 1);
  std::vector<eval::KeyedPlace> keyed, scratch;
  for (size_t place = begin; place < end; ++place) {
    const Verdict verdict = matches.verdicts()[place];
    if (verdict == Verdict::kTruePositive || verdict == Verdict::kFalsePositive)
      keyed.push_back({eval::score_key(matches.scores()[place]), static_cast<uint32_t>(place)});
  }
  eval::sort_by_score(keyed, scratch);
  std::vector<ScoredDetection> ranked;
  ranked.reserve(keyed.size());
  for (const eval::KeyedPlace& item : keyed)
    ranked.push_back({matches.scores()[item.place], matches.verdicts()[item.place] == Verdict::kTruePositive});
  return ranked;
}

std::vector<double> curve_thresholds(std::span<const ScoredDetection> ranked, size_t points) {
  double low = 0, high = 1;
  if (!ranked.empty()) {
    low = std::clamp(ranked.back().score, -kFurthestThreshold, low);
    high = std::clamp(ranked.front().score, high, kFurthestThreshold);
  }
  return eval::linspace(low, high, points);
}

OperatingPoint operating_point(double threshold, size_t true_positives, size_t false_positives, size_t num_objects) {
  OperatingPoint point{.threshold = threshold,
                       .true_positives = true_positives,
                       .false_positives = false_positives,
                       .false_negatives = num_objects - true_positives};
  point.precision = share(true_positives, true_positives + false_positives);
  point.recall = share(true_positives, num_objects);
  point.f1 = share(2 * true_positives, true_positives + false_positives + num_objects);
  return point;
}

std::optional<OperatingPoint> best_point(std::span<const ScoredDetection> ranked, size_t num_objects) {
  std::optional<OperatingPoint> best;
  size_t true_positives = 0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    true_positives += ranked[i].is_true ? 1 : 0;
    const bool is_last_of_score = i + 1 == ranked.size() || ranked[i + 1].score != ranked[i].score;
    if (!is_last_of_score || true_positives == 0) continue;
    const double f1 = share(2 * true_positives, i + 1 + num_objects);
    if (!best || f1 > best->f1)
      best = operating_point(ranked[i].score, true_positives, i + 1 - true_positives, num_objects);
  }
  return best;
}

ScoreCurve score_curve(std::span<const ScoredDetection> ranked, size_t num_objects, std::span<const double> thresholds,
                       double chosen) {
  ScoreCurve curve;
  curve.precision.resize(thresholds.size());
  curve.recall.resize(thresholds.size());
  curve.f1.resize(thresholds.size());
  Descent descent(ranked);
  for (size_t i = thresholds.size(); i-- > 0;) {
    descent.to(thresholds[i]);
    const OperatingPoint point =
        operating_point(thresholds[i], descent.true_positives, descent.false_positives(), num_objects);
    curve.precision[i] = point.precision;
    curve.recall[i] = point.recall;
    curve.f1[i] = point.f1;
  }
  curve.chosen = point_at(chosen, ranked, num_objects);
  curve.best = best_point(ranked, num_objects);
  return curve;
}

}  // namespace effdet::analysis
