// The numbers that COCOeval.summarize() makes of the arrays, for all categories and for each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eval/coco_eval.h"

namespace effdet::eval {

/// One number, and the line that pycocotools prints for it, without line end.
struct CocoMetric {
  std::string name;  ///< AP, AP50, AP75, AP_small, ..., AR1, AR10, AR100, AR_small, ...
  double value;      ///< -1 where there is nothing to find, or no such threshold
  std::string line;
};

/// AP over all IoU thresholds, at 0.50 and at 0.75, AP of each area range but the first; AR for each number of
/// detections, AR of each area range but the first. With default parameters these are pycocotools' twelve, bit for bit,
/// in its order. Otherwise AP is at the largest number of detections, where pycocotools looks for 100 and gives -1.
std::vector<CocoMetric> summarize(const CocoEvaluation& evaluation);

struct CocoCategory {
  int64_t id;  ///< -1 without categories
  size_t objects, detections;
  double ap, ap50, ap75, ar;    ///< as in summarize(); ar for the largest number of detections
  std::vector<double> area_ap;  ///< of each area range but the first
};

/// In the order of the parameters' categories.
std::vector<CocoCategory> summarize_categories(const CocoEvaluation& evaluation);

}  // namespace effdet::eval
