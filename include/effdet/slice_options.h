// Detection in the parts of large images.
#pragma once

namespace effdet {

/// An image is cut into overlapping squares, each is looked at as well as the whole, and what was found twice is
/// merged: as SAHI's get_sliced_prediction() does with its defaults (GREEDYNMM). Functions throw Error(kUsage) for
/// values out of range.
struct SliceOptions {
  int side = 0;          ///< of the squares, in pixels; 0: images are looked at as a whole alone
  float overlap = 0.2f;  ///< of neighbours, as a part of the side; 0 to 0.9
  /// Boxes of a class are one object where they overlap by this part: of the smaller one (IOS), or of their union; 0
  /// to 1.
  float merge_threshold = 0.5f;
  bool merge_by_iou = false;
};

}  // namespace effdet
