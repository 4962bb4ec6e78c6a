// What a detector finds, and how results are chosen.
#pragma once

namespace effdet {

/// An object found: corners in pixels of the original image.
struct Detection {
  float x1, y1, x2, y2;
  float score;
  /// Class + 1, which is the COCO category id for models of 90 classes.
  int category;
};

/// Whoever takes them throws Error(kUsage) for values out of range.
struct DetectOptions {
  /// Detections below it are left out; 0 to 1. (Files of results leave out those below 0.001.)
  float score_threshold = 0.0f;
  /// Boxes of one class that overlap a better one by more than this go (not used by soft-NMS); 0 to 1.
  float iou_threshold = 0.5f;
  /// So many of the highest logits become boxes; at least 1.
  int max_candidates = 5000;
  int max_detections = 100;  ///< at least 1
  /// Gaussian soft-NMS instead of hard NMS.
  bool soft_nms = false;
};

}  // namespace effdet
