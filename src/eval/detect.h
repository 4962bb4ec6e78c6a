// From raw head outputs to detections, as effdet 0.4.1's DetBenchPredict.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "effdet/detection.h"
#include "eval/anchors.h"

namespace effdet::eval {

/// The raw outputs of one image.
struct HeadOutputs {
  /// One pyramid level, largest first. Planes of height x width floats: classes has anchors_per_cell * num_classes of
  /// them (anchor-major), boxes anchors_per_cell * 4 (ty, tx, th, tw of each anchor).
  struct Level {
    std::span<const float> classes, boxes;
    int height, width;
  };
  std::vector<Level> levels;
  int num_classes;
  int anchors_per_cell;
  /// An anchor counts for its best class alone (Yet-Another-EfficientDet-Pytorch), not for each class.
  bool best_class_only = false;
};

/// How the model's input lies in the original image.
struct ImageGeometry {
  /// Original pixels in one pixel of the model's input: effdet's img_scale, 1 / the resize factor.
  double scale = 1.0;
  /// Size of the original image; boxes are clipped to it, unless width or height is 0.
  int width = 0, height = 0;
  /// The same vertically where it differs from scale, or 0.
  double scale_y = 0;
  /// Boxes are clipped to this part of the model's input instead, where it is not empty: pixels, from the top left.
  FeatureSize clip = {0, 0};
};

/// What the geometry does to boxes in float32.
struct BoxGeometry {
  float clip_width, clip_height;  ///< of the part of the input that boxes are clipped to, where they are
  float scale, scale_y;           ///< to pixels of the original image
  bool clips;
};
BoxGeometry box_geometry(const ImageGeometry& geometry);

/// One of the highest logits, with the regression values of its anchor.
struct CandidateBox {
  float logit;
  uint64_t anchor;  ///< its number over all levels
  int label;        ///< class, from 0 on
  float ty, tx, th, tw;
};

/// What a decoder left out because it makes no sense.
struct DetectFaults {
  bool nan_scores = false;      ///< a logit is NaN
  bool not_finite_box = false;  ///< a candidate's box is NaN or infinite

  bool any() const { return nan_scores || not_finite_box; }
};

/// The geometry of an image that was resized to fit into the model's input, keeping its aspect ratio, at the top left.
ImageGeometry letterbox_geometry(int width, int height, int model_height, int model_width);

/// Throws Error(kUsage) where a threshold is not between 0 and 1, or a number is below 1.
void check_options(const DetectOptions& options);

/// At most max_detections, in order of falling score. Takes the max_candidates highest logits over all anchors and
/// classes (or of each anchor's best class; of equal ones that with the lower index in effdet's order: cell, anchor,
/// class), decodes their boxes, clips them, suppresses within classes and scales to the original image. Unlike effdet
/// it does not pad with zeros; logits that are NaN or -inf are never taken, and boxes whose coordinates are not finite
/// are left out; faults, where it is not null, tells so. Throws Error(kBadInput) where the sizes of outputs, anchors
/// and levels do not fit together.
std::vector<Detection> detect(const HeadOutputs& outputs, std::span<const Box> anchors, const ImageGeometry& geometry,
                              const DetectOptions& options = {}, DetectFaults* faults = nullptr);

/// The same of candidates that were chosen before, in order of falling logits. categories are chosen among them, and
/// the first max_candidates count. faults gets what is found here. Precondition: there is an anchor for each.
std::vector<Detection> detect(std::span<const CandidateBox> candidates, std::span<const Box> anchors,
                              const ImageGeometry& geometry, const DetectOptions& options, DetectFaults& faults);

}  // namespace effdet::eval
