// Means over the arrays of an evaluation with numpy's order of additions, which decides the last bits.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "eval/coco_eval.h"

namespace effdet::eval {

/// Which part of an array a mean is over.
struct Selection {
  size_t area = 0;
  double iou = -1;  ///< the only threshold; negative: all
  std::span<const size_t> categories = {};
};

/// Means over parts of the arrays; -1 where there is nothing to find, or no such threshold.
class CocoSums {
 public:
  /// Precondition: evaluation outlives this.
  explicit CocoSums(const CocoEvaluation& evaluation) : params_(evaluation.params), arrays_(evaluation.arrays) {}

  /// At the largest number of detections.
  double average_precision(const Selection& selection) const;
  /// limit: index of the number of detections.
  double average_recall(const Selection& selection, size_t limit) const;

 private:
  std::vector<size_t> categories_with_objects(const Selection& selection) const;
  size_t precision_index(size_t t, size_t r, size_t k, size_t a) const {
    return arrays_.precision_index(t, r, k, a, arrays_.precision_limits - 1);
  }
  void copy_precision(size_t t, size_t area, std::span<const size_t> categories, double* values) const;
  template <typename Function>
  void for_each_threshold(double iou, Function function) const;

  const CocoParams& params_;
  const CocoArrays& arrays_;
};

/// 0, 1, ... count - 1: all categories.
std::vector<size_t> all_categories(size_t count);

}  // namespace effdet::eval
