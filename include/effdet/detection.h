// Detections and the options of postprocessing.
#pragma once

#include <vector>

namespace effdet {

/// A detected object.
struct Detection {
  float x1, y1, x2, y2;  ///< corners of the box, in pixels of the original image; (x1, y1) is the top left one
  float score;           ///< confidence, 0 to 1
  int category;          ///< class index + 1: the COCO category id for models with 90 classes
};

/// Options of postprocessing: the choice of candidate boxes and non-maximum suppression (NMS). Functions that take them
/// throw Error(kUsage) for values out of range.
struct DetectOptions {
  /// Detections with a lower score are discarded; 0 to 1. (Result files never contain scores below 0.001.)
  float score_threshold = 0.0f;
  /// IoU threshold of hard NMS: a box that overlaps a better box of the same class by more is discarded; 0 to 1.
  float iou_threshold = 0.5f;
  /// Number of candidate boxes: those with the highest class logits over all levels; at least 1.
  int max_candidates = 5000;
  /// Per image; at least 1. Where a data set of LVIS is evaluated, the default stands for 300, which LVIS' rules count.
  int max_detections = 100;
  /// Gaussian soft-NMS, which lowers scores instead of discarding boxes; iou_threshold is not used then.
  bool soft_nms = false;
  /// With soft_nms: scores of boxes that overlap a better one by more than iou_threshold fall by 1 - IoU instead.
  bool soft_linear = false;
  /// Boxes of other classes are suppressed, too.
  bool agnostic = false;
  /// Only these categories (Detection::category); empty: all.
  std::vector<int> categories = {};
};

}  // namespace effdet
