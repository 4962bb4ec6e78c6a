// Compares each detection with each object.
#include "analysis/image_overlaps.h"

#include <algorithm>

#include "eval/coco_match.h"

namespace effdet::analysis {

void ImageOverlaps::measure(const ImageContent& image) {
  detections_.assign(image.detections.size(), {});
  objects_.assign(image.objects.size(), 0);
  for (size_t d = 0; d < image.detections.size(); ++d) {
    OfDetection& best = detections_[d];
    for (uint32_t o = 0; o < image.objects.size(); ++o) {
      const ImageContent::Object& object = image.objects[o];
      const double iou =
          eval::box_iou(image.detections[d].result->bbox, object.annotation->bbox, object.annotation->is_crowd);
      if (!(iou > 0)) continue;
      const bool is_own = object.category == image.detections[d].category;
      objects_[o] = std::max(objects_[o], iou);
      best.anything = std::max(best.anything, iou);
      if (is_own) best.own = std::max(best.own, iou);
      if (!object.counts) continue;
      if (!is_own && iou > best.other.iou) best.other = {o, iou};
      const bool any_is_own =
          best.any.iou > 0 && image.objects[best.any.object].category == image.detections[d].category;
      if (iou > best.any.iou || (iou == best.any.iou && is_own && !any_is_own)) best.any = {o, iou};
    }
  }
}

}  // namespace effdet::analysis
