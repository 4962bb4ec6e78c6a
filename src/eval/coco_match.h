// Matching one image's detections of one category to its ground truth, as pycocotools' COCOeval.evaluateImg.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace effdet::eval {

inline constexpr size_t kNumIouThresholds = 10;
inline constexpr size_t kNumAreaRanges = 4;

/// 0.5, 0.55, ... 0.95 with the rounding of numpy.linspace(.5, .95, 10).
std::array<double, kNumIouThresholds> iou_thresholds();

/// An area in square pixels, both ends included.
struct AreaRange {
  double low, high;
  /// As pycocotools compares: an area that is NaN lies in every range.
  bool contains(double area) const { return !(area < low || area > high); }
};

/// All, small, medium, large.
inline constexpr std::array<AreaRange, kNumAreaRanges> kAreaRanges{
    {{0, 1e10}, {0, 32.0 * 32.0}, {32.0 * 32.0, 96.0 * 96.0}, {96.0 * 96.0, 1e10}}};

/// An annotated object. Boxes are left, top, width, height.
struct TrueBox {
  std::array<double, 4> bbox;
  double area;
  bool is_crowd;
  /// pycocotools marks a match by the annotation's id, so that an object whose id is 0 never counts as found.
  bool has_zero_id;
};

struct ScoredResult {
  std::array<double, 4> bbox;
  double score;
};

/// What became of a detection; bit t stands for IoU threshold t. Neither bit is set where it is ignored: matched to a
/// crowd or to an object outside of the area range, or unmatched and itself outside of it.
struct Outcome {
  uint16_t true_positive = 0, false_positive = 0;
};

struct ImageMatch {
  /// For each area range, the outcome of each detection.
  std::array<std::vector<Outcome>, kNumAreaRanges> outcomes;
  /// For each area range, the objects that are to be found.
  std::array<size_t, kNumAreaRanges> num_objects{};
};

/// Precondition: detections in order of falling score, cut to the largest number that is evaluated.
ImageMatch match_image(std::span<const TrueBox> objects, std::span<const ScoredResult> detections);

}  // namespace effdet::eval
