// The anchor boxes of EfficientDet, in the order of the head outputs.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace effdet::eval {

/// A box in pixels of the model's input: top, left, bottom, right.
struct Box {
  float y1, x1, y2, x2;
};

/// Height and width of a pyramid level, in cells.
struct FeatureSize {
  int height, width;
  bool operator==(const FeatureSize&) const = default;
};

/// What the anchors depend on; the defaults are those of the whole EfficientDet family.
struct AnchorConfig {
  int min_level = 3;
  int max_level = 7;
  int num_scales = 3;
  /// Width and height factors of each aspect.
  std::vector<std::pair<double, double>> aspect_ratios{{1.0, 1.0}, {1.4, 0.7}, {0.7, 1.4}};
  /// Base anchor size over the level's stride: one value for all levels, or one a level.
  std::vector<double> anchor_scale{4.0};
  /// Size of the model's input in pixels.
  int image_height = 0, image_width = 0;

  int anchors_per_cell() const { return num_scales * static_cast<int>(aspect_ratios.size()); }
  int num_levels() const { return max_level - min_level + 1; }
};

/// The sizes of levels min_level..max_level: the image halved, rounding up, once a level (320 gives 40, 20, 10, 5, 3).
/// Throws Error(kUsage) where the configuration makes no sense.
std::vector<FeatureSize> feature_sizes(const AnchorConfig& config);

/// All anchors: level by level, row by row, cell by cell, then scale (2^0, 2^(1/3), 2^(2/3)), then aspect ratio. Equal
/// in every bit to effdet 0.4.1 (Anchors._generate_boxes): computed in double, with numpy.arange's way of making the
/// centres, and rounded to float32 at the end. Throws as feature_sizes().
std::vector<Box> make_anchors(const AnchorConfig& config);

}  // namespace effdet::eval
