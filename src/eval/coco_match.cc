// Matches each detection, best first, to the free object with the largest IoU at every threshold.
#include "eval/coco_match.h"

#include <algorithm>
#include <cmath>

namespace effdet::eval {
namespace {

/// Intersection over union; over the detection's own area for a crowd, within which many objects lie.
double iou(const std::array<double, 4>& detection, const TrueBox& object) {
  const auto& d = detection;
  const auto& g = object.bbox;
  const double width = std::fmin(d[2] + d[0], g[2] + g[0]) - std::fmax(d[0], g[0]);
  if (width <= 0) return 0;
  const double height = std::fmin(d[3] + d[1], g[3] + g[1]) - std::fmax(d[1], g[1]);
  if (height <= 0) return 0;
  const double intersection = width * height, area = d[2] * d[3];
  return intersection / (object.is_crowd ? area : area + g[2] * g[3] - intersection);
}

/// The objects of one area range: those that count first, then those to be ignored, each in the order of the file.
struct RankedObjects {
  std::vector<size_t> order;
  size_t num_counted;
};

RankedObjects rank_objects(std::span<const TrueBox> objects, const AreaRange& range) {
  RankedObjects ranked;
  for (size_t i = 0; i < objects.size(); ++i) ranked.order.push_back(i);
  const auto counted = [&](size_t i) { return !objects[i].is_crowd && range.contains(objects[i].area); };
  const auto end = std::stable_partition(ranked.order.begin(), ranked.order.end(), counted);
  ranked.num_counted = static_cast<size_t>(end - ranked.order.begin());
  return ranked;
}

constexpr size_t kNone = static_cast<size_t>(-1);

/// The place in ranked.order of the object that a detection takes at a threshold: the one of the largest IoU (of equal
/// ones the last) that is still free; an ignored one only where no counted one fits; crowds are always free.
size_t best_object(std::span<const TrueBox> objects, const RankedObjects& ranked, const double* ious,
                   const std::vector<bool>& taken, double threshold) {
  double best_iou = std::min(threshold, 1 - 1e-10);
  size_t best = kNone;
  for (size_t rank = 0; rank < ranked.order.size(); ++rank) {
    const size_t object = ranked.order[rank];
    if (taken[rank] && !objects[object].is_crowd) continue;
    if (best != kNone && best < ranked.num_counted && rank >= ranked.num_counted) break;
    if (ious[object] < best_iou) continue;
    best_iou = ious[object];
    best = rank;
  }
  return best;
}

std::vector<Outcome> match_range(std::span<const TrueBox> objects, std::span<const ScoredResult> detections,
                                 std::span<const double> ious, const RankedObjects& ranked, const AreaRange& range) {
  static const auto kThresholds = iou_thresholds();
  std::vector<Outcome> outcomes(detections.size());
  for (size_t t = 0; t < kThresholds.size(); ++t) {
    const auto bit = static_cast<uint16_t>(1U << t);
    std::vector<bool> taken(objects.size());
    for (size_t d = 0; d < detections.size(); ++d) {
      const size_t best = best_object(objects, ranked, ious.data() + d * objects.size(), taken, kThresholds[t]);
      bool ignored = false, matched = false;
      if (best != kNone) {
        taken[best] = true;
        ignored = best >= ranked.num_counted;
        matched = !objects[ranked.order[best]].has_zero_id;
      }
      if (!matched && !range.contains(detections[d].bbox[2] * detections[d].bbox[3])) ignored = true;
      if (ignored) continue;
      (matched ? outcomes[d].true_positive : outcomes[d].false_positive) |= bit;
    }
  }
  return outcomes;
}

}  // namespace

std::array<double, kNumIouThresholds> iou_thresholds() {
  std::array<double, kNumIouThresholds> thresholds{};
  const double step = (0.95 - 0.5) / (kNumIouThresholds - 1);
  for (size_t i = 0; i < thresholds.size(); ++i) thresholds[i] = static_cast<double>(i) * step + 0.5;
  thresholds.back() = 0.95;
  return thresholds;
}

ImageMatch match_image(std::span<const TrueBox> objects, std::span<const ScoredResult> detections) {
  std::vector<double> ious;
  ious.reserve(objects.size() * detections.size());
  for (const auto& detection : detections) {
    for (const auto& object : objects) ious.push_back(iou(detection.bbox, object));
  }
  ImageMatch match;
  for (size_t i = 0; i < kNumAreaRanges; ++i) {
    const auto ranked = rank_objects(objects, kAreaRanges[i]);
    match.outcomes[i] = match_range(objects, detections, ious, ranked, kAreaRanges[i]);
    match.num_objects[i] = ranked.num_counted;
  }
  return match;
}

}  // namespace effdet::eval
