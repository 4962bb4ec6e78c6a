// Precision, recall and scores of COCOeval.accumulate().
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "eval/coco_groups.h"
#include "eval/coco_match.h"
#include "eval/coco_params.h"

namespace effdet::eval {

/// The arrays of COCOeval.eval: -1 where a category has no object to find in an area range. T IoU thresholds, R recall
/// thresholds, K categories, A area ranges, M numbers of detections, as in the parameters.
struct CocoArrays {
  size_t thresholds = 0, recalls = 0, categories = 0, areas = 0, limits = 0;
  /// M, or 1 where only the largest number of detections has been asked for: the last size of precision and scores.
  size_t precision_limits = 0;
  /// [T, R, K, A, M]; [K, A, T, R], which is faster to fill in and to sum up, where precision_limits is 1 by choice.
  std::vector<double> precision;
  std::vector<double> recall;  ///< [T, K, A, M]
  std::vector<double> scores;  ///< as precision: the score at which the precision is reached; may be empty

  /// All -1. Throws Error(kUnsupported) above 2^28 values of precision (2 GiB). full: with scores, and precision for
  /// every number of detections.
  CocoArrays(const CocoParams& params, bool full);
  CocoArrays() = default;

  size_t precision_index(size_t t, size_t r, size_t k, size_t a, size_t m) const {
    return t * threshold_stride_ + r * recall_stride_ + k * category_stride_ + a * area_stride_ + m;
  }
  size_t recall_index(size_t t, size_t k, size_t a, size_t m) const {
    return ((t * categories + k) * areas + a) * limits + m;
  }

 private:
  size_t threshold_stride_ = 0, recall_stride_ = 0, category_stride_ = 0, area_stride_ = 0;
};

/// A category's detections in order of falling score, with what became of them.
struct RankedDetections {
  std::span<const uint32_t> order;    ///< places
  std::span<const uint32_t> ranks;    ///< of a place: how many of its image and category are before it
  std::span<const Outcome> outcomes;  ///< [places, area ranges]
  std::span<const double> scores;     ///< of a place; may be empty where the arrays have none
};

/// Fills in the arrays for one category, one area range and a chunk of thresholds, from first_threshold on, and keeps
/// its memory from call to call.
class Accumulator {
 public:
  Accumulator(const CocoParams& params, CocoArrays& arrays) : params_(params), arrays_(arrays) {}

  /// num_objects: how many are to be found; nothing is done for none.
  void add(size_t category, size_t area, size_t first_threshold, size_t num_thresholds, size_t num_objects,
           const RankedDetections& detections);

 private:
  /// What one threshold's walk down the scores has found.
  struct Curve {
    double true_positives = 0, false_positives = 0;
    std::vector<double> precision;  ///< at each true positive
    std::vector<uint32_t> places;   ///< of these
  };

  void walk(const RankedDetections& detections, size_t limit);
  void keep_found(size_t limit, std::span<const uint32_t> ranks);
  void write_recall(size_t m);
  void write_curves(size_t m, const RankedDetections& detections);
  void write_curve(Curve& curve, size_t t, size_t m, const RankedDetections& detections);

  const CocoParams& params_;
  CocoArrays& arrays_;
  size_t category_ = 0, area_ = 0, first_threshold_ = 0, num_thresholds_ = 0;
  double num_objects_ = 0;
  std::vector<Curve> curves_{kThresholdsInChunk};
};

}  // namespace effdet::eval
