// Anchors other than a model variant's own.
#pragma once

#include <utility>
#include <vector>

namespace effdet {

/// What a model was trained with, where that is not what its variant has. Neither a checkpoint nor dumped outputs tell;
/// exported models do, in their metadata.
struct AnchorOptions {
  /// Side of the smallest square anchor, in strides of its level; 0: the variant's.
  double anchor_scale = 0;
  /// Anchors of each aspect ratio: 2^(i / num_scales) times the smallest for i = 0 ... num_scales - 1; 0: the
  /// variant's.
  int num_scales = 0;
  /// Factors of width and height; empty: the variant's.
  std::vector<std::pair<double, double>> aspect_ratios;

  bool empty() const { return anchor_scale == 0 && num_scales == 0 && aspect_ratios.empty(); }
};

}  // namespace effdet
