// Walks down the scores of a category and writes what precision is reached at each recall.
#include "eval/coco_accumulate.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace effdet::eval {
namespace {

constexpr size_t kMaxValues = size_t{1} << 28;
constexpr uint32_t kNoPlace = std::numeric_limits<uint32_t>::max();

template <typename Function>
void for_each_bit(ThresholdBits bits, Function function) {
  for (unsigned left = bits; left != 0; left &= left - 1) function(static_cast<size_t>(std::countr_zero(left)));
}

}  // namespace

CocoArrays::CocoArrays(const CocoParams& params, bool full)
    : thresholds(params.iou_thresholds.size()),
      recalls(params.recall_thresholds.size()),
      categories(params.use_categories ? params.category_ids.size() : 1),
      areas(params.area_ranges.size()),
      limits(params.max_detections.size()),
      precision_limits(full ? limits : 1) {
  double values = 1;
  for (const size_t factor : {thresholds, recalls, categories, areas, precision_limits})
    values *= static_cast<double>(factor);
  if (values > static_cast<double>(kMaxValues))
    fail(ErrorCode::kUnsupported,
         "evaluation: {:.0f} values of precision, at most {} are supported; take fewer thresholds, areas or categories",
         values, kMaxValues);
  area_stride_ = full ? precision_limits : thresholds * recalls;
  category_stride_ = areas * area_stride_;
  recall_stride_ = full ? categories * category_stride_ : 1;
  threshold_stride_ = recalls * recall_stride_;
  precision.assign(static_cast<size_t>(values), -1);
  recall.assign(thresholds * categories * areas * limits, -1);
  if (full) scores.assign(precision.size(), -1);
}

void Accumulator::add(size_t category, size_t area, size_t first_threshold, size_t num_thresholds, size_t num_objects,
                      const RankedDetections& detections) {
  if (num_objects == 0) return;
  category_ = category;
  area_ = area;
  first_threshold_ = first_threshold;
  num_thresholds_ = num_thresholds;
  num_objects_ = static_cast<double>(num_objects);
  const size_t last = arrays_.limits - 1, num_curves = arrays_.precision_limits;
  for (size_t m = 0; m < last; ++m) {
    if (num_curves == 1) continue;
    walk(detections, params_.max_detections[m]);
    write_curves(m, detections);
    write_recall(m);
  }
  walk(detections, params_.max_detections[last]);
  write_curves(num_curves - 1, detections);
  write_recall(last);
  for (size_t m = 0; m < last && num_curves == 1; ++m) {
    keep_found(params_.max_detections[m], detections.ranks);
    write_recall(m);
  }
}

/// Most detections are false at every threshold: these are counted once for all.
void Accumulator::walk(const RankedDetections& detections, size_t limit) {
  for (Curve& curve : curves_) {
    curve.true_positives = curve.false_positives = 0;
    curve.precision.clear();
    curve.places.clear();
  }
  const auto all = static_cast<ThresholdBits>((1U << num_thresholds_) - 1);
  double false_everywhere = 0;
  for (const uint32_t place : detections.order) {
    if (detections.ranks[place] >= limit) continue;
    const Outcome outcome = detections.outcomes[place * arrays_.areas + area_];
    if (outcome.false_positive == all) {
      ++false_everywhere;
      continue;
    }
    for_each_bit(outcome.false_positive, [&](size_t t) { ++curves_[t].false_positives; });
    for_each_bit(outcome.true_positive, [&](size_t t) {
      Curve& curve = curves_[t];
      ++curve.true_positives;
      curve.precision.push_back(curve.true_positives / (curve.false_positives + false_everywhere +
                                                        curve.true_positives + std::numeric_limits<double>::epsilon()));
      curve.places.push_back(place);
    });
  }
}

/// Counts again what a walk has found, for a smaller number of detections.
void Accumulator::keep_found(size_t limit, std::span<const uint32_t> ranks) {
  for (size_t t = 0; t < num_thresholds_; ++t) {
    const auto& places = curves_[t].places;
    curves_[t].true_positives = static_cast<double>(
        std::count_if(places.begin(), places.end(), [&](uint32_t place) { return ranks[place] < limit; }));
  }
}

void Accumulator::write_recall(size_t m) {
  for (size_t t = 0; t < num_thresholds_; ++t)
    arrays_.recall[arrays_.recall_index(first_threshold_ + t, category_, area_, m)] =
        curves_[t].true_positives / num_objects_;
}

void Accumulator::write_curves(size_t m, const RankedDetections& detections) {
  for (size_t t = 0; t < num_thresholds_; ++t) write_curve(curves_[t], first_threshold_ + t, m, detections);
}

/// Recall changes at true positives only, and the best precision from some recall on is that of one of them.
void Accumulator::write_curve(Curve& curve, size_t t, size_t m, const RankedDetections& detections) {
  auto& precision = curve.precision;
  for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
  const auto& recalls = params_.recall_thresholds;
  const auto write = [&](size_t r, double value, uint32_t place) {
    const size_t index = arrays_.precision_index(t, r, category_, area_, m);
    arrays_.precision[index] = value;
    if (!arrays_.scores.empty()) arrays_.scores[index] = place == kNoPlace ? 0 : detections.scores[place];
  };
  size_t r = 0, found = 0;
  for (; r < recalls.size() && !detections.order.empty(); ++r) {
    if (recalls[r] <= 0) {  // reached by the first detection, whether true or false
      write(r, precision.empty() ? 0 : precision.front(), detections.order.front());
      continue;
    }
    if (r > 0 && recalls[r] < recalls[r - 1]) found = 0;
    while (found < precision.size() && static_cast<double>(found + 1) / num_objects_ < recalls[r]) ++found;
    if (found == precision.size()) break;  // pycocotools stops here, too, where thresholds do not rise
    write(r, precision[found], curve.places[found]);
  }
  for (; r < recalls.size(); ++r) write(r, 0, kNoPlace);
}

}  // namespace effdet::eval
