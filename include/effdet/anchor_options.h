// Anchor boxes that differ from those of a model variant.
#pragma once

#include <utility>
#include <vector>

namespace effdet {

/// The anchors that a model was trained with, where they are not its variant's. A checkpoint does not contain them, nor
/// do dumped outputs; an exported model has them in its metadata. The fields mean what effdet's configuration means by
/// anchor_scale, num_scales and aspect_ratios.
struct AnchorOptions {
  /// Side of the smallest square anchor of a pyramid level, in multiples of the level's stride. 0: the variant's.
  double anchor_scale = 0;
  /// Number of anchor sizes for each aspect ratio: size i is 2^(i / num_scales) times the smallest, for i = 0, ...,
  /// num_scales - 1. 0: the variant's.
  int num_scales = 0;
  /// Factors of an anchor's width and height, one pair for each aspect ratio. Empty: the variant's.
  std::vector<std::pair<double, double>> aspect_ratios;

  bool empty() const { return anchor_scale == 0 && num_scales == 0 && aspect_ratios.empty(); }
};

}  // namespace effdet
