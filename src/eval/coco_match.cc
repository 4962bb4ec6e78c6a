// Matches each detection, best first, to the free object with the largest IoU at every threshold.
#include "eval/coco_match.h"

#include <algorithm>

namespace effdet::eval {

/// pycocotools' order of operations; the layer is compiled without contraction to fused multiply-adds, which would
/// round otherwise.
double box_iou(const std::array<double, 4>& d, const std::array<double, 4>& g, bool is_crowd) {
  const double width = std::min(d[2] + d[0], g[2] + g[0]) - std::max(d[0], g[0]);
  if (width <= 0) return 0;
  const double height = std::min(d[3] + d[1], g[3] + g[1]) - std::max(d[1], g[1]);
  if (height <= 0) return 0;
  const double intersection = width * height, area = d[2] * d[3];
  return intersection / (is_crowd ? area : area + g[2] * g[3] - intersection);
}

PairMatcher::PairMatcher(std::span<const double> iou_thresholds, std::span<const AreaRange> area_ranges)
    : ranges_(area_ranges), all_(static_cast<ThresholdBits>((1U << iou_thresholds.size()) - 1)) {
  for (const double threshold : iou_thresholds) thresholds_.push_back(std::min(threshold, 1 - 1e-10));
  lowest_ = *std::min_element(thresholds_.begin(), thresholds_.end());
}

void PairMatcher::match(std::span<const TrueBox> objects, std::span<const std::array<double, 4>> detections,
                        Outcome* outcomes, uint32_t* found, bool complete) {
  if (detections.empty()) return;
  find_candidates(objects, detections);
  for (size_t a = 0; a < ranges_.size(); ++a)
    match_range(objects, detections, ranges_[a], complete, outcomes + a, found == nullptr ? nullptr : found + a);
}

/// A detection's candidates lie in the order in which it would have them: by falling IoU, of equal ones the last in the
/// file first.
void PairMatcher::find_candidates(std::span<const TrueBox> objects, std::span<const std::array<double, 4>> detections) {
  candidates_.clear();
  begins_.assign(1, 0);
  for (const auto& detection : detections) {
    for (size_t object = objects.size(); object-- > 0;) {
      const double value = box_iou(detection, objects[object].bbox, objects[object].is_crowd);
      if (value < lowest_) continue;
      ThresholdBits reached = 0;
      for (size_t t = 0; t < thresholds_.size(); ++t)
        reached = static_cast<ThresholdBits>(reached | static_cast<unsigned>(value >= thresholds_[t]) << t);
      candidates_.push_back({value, static_cast<uint32_t>(object), reached});
    }
    const auto begin = candidates_.begin() + static_cast<std::ptrdiff_t>(begins_.back());
    if (candidates_.end() - begin > 1)
      std::sort(begin, candidates_.end(), [](const Candidate& a, const Candidate& b) {
        return a.iou != b.iou ? a.iou > b.iou : a.object > b.object;
      });
    begins_.push_back(candidates_.size());
  }
}

void PairMatcher::match_range(std::span<const TrueBox> objects, std::span<const std::array<double, 4>> detections,
                              const AreaRange& range, bool complete, Outcome* outcomes, uint32_t* found) {
  taken_.assign(objects.size(), 0);
  counted_.resize(objects.size());
  for (size_t i = 0; i < objects.size(); ++i)
    counted_[i] = !objects[i].is_crowd && !objects[i].is_ignored && range.contains(objects[i].area) ? 1 : 0;
  for (size_t d = 0; d < detections.size(); ++d) {
    const auto candidates = std::span(candidates_).subspan(begins_[d], begins_[d + 1] - begins_[d]);
    ThresholdBits matched = 0, ignored = 0, zero_id = 0, unused = 0;
    found_at_first_ = kNoObject;
    if (!candidates.empty()) {
      matched = take(objects, candidates, true, all_, zero_id);
      ignored = take(objects, candidates, false, static_cast<ThresholdBits>(all_ & ~matched), unused);
    }
    if (found != nullptr) found[d * ranges_.size()] = found_at_first_;
    const auto true_positive = static_cast<ThresholdBits>(matched & ~zero_id);
    const bool counts = complete && range.contains(detections[d][2] * detections[d][3]);
    outcomes[d * ranges_.size()] = {
        true_positive, counts ? static_cast<ThresholdBits>(all_ & ~true_positive & ~ignored) : ThresholdBits{0}};
  }
}

ThresholdBits PairMatcher::take(std::span<const TrueBox> objects, std::span<const Candidate> candidates, bool counted,
                                ThresholdBits open, ThresholdBits& zero_id) {
  ThresholdBits done = 0;
  for (const Candidate& candidate : candidates) {
    if ((counted_[candidate.object] != 0) != counted) continue;
    const TrueBox& object = objects[candidate.object];
    auto here = static_cast<ThresholdBits>(candidate.reached & open & ~done);
    if (!object.is_crowd) here = static_cast<ThresholdBits>(here & ~taken_[candidate.object]);
    taken_[candidate.object] |= here;
    done |= here;
    if (counted && (here & 1) != 0) found_at_first_ = candidate.object;
    if (object.has_zero_id) zero_id |= here;
  }
  return done;
}

}  // namespace effdet::eval
