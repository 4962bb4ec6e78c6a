// From the raw outputs of one image to detections: what dumps, the fused path and Detector share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "effdet/detection.h"
#include "eval/anchors.h"
#include "eval/detect.h"
#include "eval/level_layout.h"
#include "kernels/box_selection.h"
#include "model/metadata.h"
#include "vision/preprocess.h"

namespace effdet::detection {

/// The anchors that a model's description means, for an input of that size in pixels.
eval::AnchorConfig anchor_config(const model::ModelInfo& info, int height, int width);

/// Anchors of a model at one input size. Constant, so that threads may share it.
class HeadDecoder {
 public:
  /// height and width are the input's in pixels: a model may be compiled for another size than it was exported for.
  /// Throws Error(kUsage) where the description makes no sense at that size.
  HeadDecoder(const model::ModelInfo& info, int height, int width);

  int num_classes() const { return num_classes_; }
  const std::vector<eval::FeatureSize>& levels() const { return levels_; }
  int anchors_per_cell() const { return config_.anchors_per_cell(); }
  size_t anchor_count() const { return anchors_.size(); }
  /// A class and a box output for each level.
  size_t output_count() const { return 2 * levels_.size(); }

  /// Which output is what, by the number of float32 values in each. Throws Error(kBadInput) as match_levels().
  eval::LevelLayout layout_of(std::span<const uint64_t> value_counts) const;
  /// Detections of an image of that size, in its pixels and in order of falling score, as detect().
  std::vector<Detection> decode(std::span<const std::span<const float>> outputs, const eval::LevelLayout& layout,
                                vision::ImageSize image, const DetectOptions& options,
                                eval::DetectFaults* faults = nullptr) const;

  /// The same from rows of candidates (ops::kCandidateValues values each), as append_candidates() has them. Throws
  /// Error(kUsage) where options want more candidates than there are rows.
  std::vector<Detection> decode_candidates(std::span<const float> rows, vision::ImageSize image,
                                           const DetectOptions& options, eval::DetectFaults& faults) const;
  /// The same of candidates in order of falling logits. Precondition: there is an anchor for each.
  std::vector<Detection> decode_candidates(std::span<const eval::CandidateBox> candidates, vision::ImageSize image,
                                           const DetectOptions& options, eval::DetectFaults& faults) const;

  // The same on a device that selects boxes itself (kernels::BoxSelection).
  std::span<const eval::Box> anchors() const { return anchors_; }
  kernels::BoxImage box_image(vision::ImageSize image) const;
  /// By class; empty: all are.
  std::vector<uint8_t> wanted_classes(const DetectOptions& options) const;
  std::vector<Detection> detections_of(const kernels::SelectedBoxes& selected) const;

 private:
  /// Options with classes as detect() counts them, from 1; and back.
  DetectOptions by_label(const DetectOptions& options) const;
  std::vector<Detection> by_category(std::vector<Detection> detections) const;
  eval::ImageGeometry geometry_of(vision::ImageSize image) const;

  vision::Preprocessing input_;
  model::Selection selection_;
  int num_classes_, label_offset_;
  eval::AnchorConfig config_;
  std::vector<eval::FeatureSize> levels_;
  std::vector<eval::Box> anchors_;
};

}  // namespace effdet::detection
