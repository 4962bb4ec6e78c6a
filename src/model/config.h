// What a graph is built for: a member of the family with its sizes, classes and anchors settled.
#pragma once

#include <string>
#include <vector>

#include "effdet/anchor_options.h"
#include "model/variants.h"

namespace effdet::model {

/// The most that a model may have.
constexpr int kMaxClasses = 10000, kMaxAnchors = 256;

/// Everything that build_graph needs besides the weights.
struct ModelConfig {
  Variant variant;  ///< a row of the table, perhaps with options of its configuration changed
  int num_classes = 90;
  int image_height = 512;
  int image_width = 512;
  int batch = 1;
  std::vector<Ratio> aspect_ratios;
  int num_scales = 3;
  double anchor_scale = 4.0;
  std::vector<std::string> class_names;  ///< may be empty
  int label_offset = 1;                  ///< category id of class 0; COCO counts from 1

  /// Anchors of one cell.
  int anchors() const { return static_cast<int>(aspect_ratios.size()) * num_scales; }
};

/// A variant with its own defaults.
ModelConfig default_config(const Variant& variant, int num_classes = 90);

/// Replaces what the options give. Throws Error(kUsage) for factors that are not positive and finite.
void apply_anchors(const AnchorOptions& options, ModelConfig& config);

/// Height and width of the features of levels 0..max_level: halved and rounded up from level to level.
std::vector<std::pair<int, int>> feature_sizes(int image_height, int image_width, int max_level);

/// Legal are sides that are multiples of 128 (zylo117_efficientdet_d8: of 256) or the variant's own, from 2^max_level
/// to 16384. Throws Error(kUsage) that names the nearest legal size.
void check_image_size(const Variant& variant, int height, int width);

/// check_image_size, and classes, batch and anchors in sensible ranges. Throws Error(kUsage).
void check_config(const ModelConfig& config);

}  // namespace effdet::model
