// What the boxes of an image have to do with each other, whatever their categories.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/matches.h"

namespace effdet::analysis {

/// The largest IoUs between detections and objects of an image. Keeps its memory from one to the next.
class ImageOverlaps {
 public:
  /// An object and its IoU with a detection; of equal IoUs an object of the detection's category, then the first.
  struct Best {
    uint32_t object = 0;
    double iou = 0;  ///< 0: there is no object
  };
  struct OfDetection {
    Best any, other;      ///< objects that count: of any category, and of another than the detection's
    double own = 0;       ///< IoU with an object of the detection's category, also one that does not count
    double anything = 0;  ///< IoU with whatever is annotated; of a crowd as COCO has it
  };

  void measure(const ImageContent& image);

  const OfDetection& detection(size_t d) const { return detections_[d]; }
  /// The largest IoU of an object with any detection.
  double object(size_t o) const { return objects_[o]; }

 private:
  std::vector<OfDetection> detections_;
  std::vector<double> objects_;
};

}  // namespace effdet::analysis
