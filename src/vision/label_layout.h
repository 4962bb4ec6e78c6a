// Where labels of boxes go.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "vision/image.h"

namespace effdet::vision {

/// A rectangle with fractional sides.
struct Area {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  float width() const { return x2 - x1; }
  float height() const { return y2 - y1; }
};

/// Left upper corner of a label.
struct LabelPlace {
  int x = 0, y = 0;
};

/// Places labels at boxes, those at the end of the list first: above, below, beside or within the box, wherever they
/// cover nothing of another label and least of boxes, small ones above all. A label for which there is no free place is
/// left out. labels: sizes; 0 x 0 for none. As many as boxes.
std::vector<std::optional<LabelPlace>> place_labels(ImageSize image, std::span<const Area> boxes,
                                                    std::span<const ImageSize> labels);

}  // namespace effdet::vision
