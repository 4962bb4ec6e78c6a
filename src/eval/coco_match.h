// Matching one image's detections of one category to its ground truth, as pycocotools' COCOeval.evaluateImg.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "eval/coco_params.h"

namespace effdet::eval {

/// An annotated object. Boxes are left, top, width, height.
struct TrueBox {
  std::array<double, 4> bbox;
  double area;
  bool is_crowd;
  /// To be found by one detection, which is then neither right nor wrong.
  bool is_ignored = false;
  /// pycocotools marks a match by the annotation's id, so that an object whose id is 0 never counts as found.
  bool has_zero_id = false;
};

/// Intersection over union; over the detection's own area for a crowd, within which many objects lie. Boxes are left,
/// top, width, height; 0 where they do not meet.
double box_iou(const std::array<double, 4>& detection, const std::array<double, 4>& object, bool is_crowd);

/// One bit for each IoU threshold of a chunk.
using ThresholdBits = uint16_t;
inline constexpr size_t kThresholdsInChunk = 16;
inline constexpr uint32_t kNoObject = 0xFFFFFFFF;

/// What became of a detection at each threshold. Neither bit is set where it is ignored: matched to a crowd or to an
/// object outside of the area range, or unmatched and itself outside of it, or
/// unmatched where not all objects are known.
struct Outcome {
  ThresholdBits true_positive = 0, false_positive = 0;
};

/// Matches pair after pair at up to 16 IoU thresholds and in all area ranges, and keeps its memory from one to the
/// next. All thresholds are decided at once, each by one bit; the matrix of IoUs is made once.
class PairMatcher {
 public:
  /// The lists must outlive the matcher. Precondition: at most kThresholdsInChunk thresholds.
  PairMatcher(std::span<const double> iou_thresholds, std::span<const AreaRange> area_ranges);

  /// outcomes: [detections, area ranges]. Precondition: detections (boxes) are in order of falling score, cut to the
  /// largest number that is evaluated. found, where given: as outcomes, the object that makes it a true positive at the
  /// first threshold, or kNoObject. complete: whether objects are all that there are.
  void match(std::span<const TrueBox> objects, std::span<const std::array<double, 4>> detections, Outcome* outcomes,
             uint32_t* found = nullptr, bool complete = true);

 private:
  /// An object that a detection may take, at the thresholds that their IoU reaches.
  struct Candidate {
    double iou;
    uint32_t object;
    ThresholdBits reached;
  };

  void find_candidates(std::span<const TrueBox> objects, std::span<const std::array<double, 4>> detections);
  void match_range(std::span<const TrueBox> objects, std::span<const std::array<double, 4>> detections,
                   const AreaRange& range, bool complete, Outcome* outcomes, uint32_t* found);
  /// Gives the detection, at those thresholds of `open` where it can, an object that counts (or one that does not).
  /// Returns where it has, and adds to zero_id where that has the id 0.
  ThresholdBits take(std::span<const TrueBox> objects, std::span<const Candidate> candidates, bool counted,
                     ThresholdBits open, ThresholdBits& zero_id);

  std::vector<double> thresholds_;
  std::span<const AreaRange> ranges_;
  double lowest_;
  ThresholdBits all_;
  uint32_t found_at_first_ = kNoObject;  ///< by the detection at hand, at the first threshold
  std::vector<Candidate> candidates_;
  std::vector<size_t> begins_;  ///< of each detection's candidates; one more at the end
  std::vector<ThresholdBits> taken_;
  std::vector<uint8_t> counted_;
};

}  // namespace effdet::eval
