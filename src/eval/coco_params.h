// What is evaluated: the parameters of pycocotools' COCOeval, under its names in the field's terms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "eval/ground_truth.h"

namespace effdet::eval {

/// An area in square pixels, both ends included.
struct AreaRange {
  std::string label;
  double low = 0, high = 0;
  /// As pycocotools compares: an area that is NaN lies in every range.
  bool contains(double area) const { return !(area < low || area > high); }
};

/// "count" values from first to last with numpy.linspace's rounding.
std::vector<double> linspace(double first, double last, size_t count);

/// pycocotools' Params for boxes. Where it has lists, so are these, with the same order in the arrays.
struct CocoParams {
  std::vector<int64_t> image_ids, category_ids;
  std::vector<double> iou_thresholds = linspace(0.5, 0.95, 10);
  std::vector<double> recall_thresholds = linspace(0, 1, 101);
  /// The first is that of AP and AR without a size.
  std::vector<AreaRange> area_ranges = {
      {"all", 0, 1e10}, {"small", 0, 32 * 32}, {"medium", 32 * 32, 96 * 96}, {"large", 96 * 96, 1e10}};
  /// Detections of a category in an image that count, best first.
  std::vector<size_t> max_detections = {1, 10, 100};
  /// Whether a detection must have its object's category. If not, all is one category, as for proposals: useCats = 0.
  bool use_categories = true;

  /// All images and categories of a data set.
  static CocoParams all_of(const GroundTruth& dataset);

  /// Sorts ids and numbers of detections as COCOeval.evaluate() does, each id once. Throws Error(kUsage) for an empty
  /// list of thresholds, areas or numbers of detections, for numbers that are none and for labels that occur twice;
  /// Error(kUnsupported) above 10,000 categories.
  void settle();
};

}  // namespace effdet::eval
