// The last part of detection on a device: boxes of candidates are decoded and suppressed where the network wrote them,
// so that no more than detections is copied to the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernel.h"
#include "kernels/selected_box.h"

namespace effdet::kernels {

struct BoxOptions {
  int max_candidates, max_kept;  ///< of an image; at least 1
  float iou_threshold, score_threshold;
  bool agnostic;                    ///< boxes of all classes suppress each other
  std::span<const uint8_t> wanted;  ///< by class: 0 for one that is not looked for; empty: all are
};

/// Of an image, in order of falling score.
struct SelectedBoxes {
  std::vector<SelectedBox> boxes;
  bool has_nan = false;         ///< a logit is NaN
  bool has_not_finite = false;  ///< boxes were left out whose corners are not finite
  bool is_senseless = false;    ///< a row is of an anchor or of a class that there is not: the boxes mean nothing
};

/// Of one session, whose memory it uses. Not to be used by two threads at once.
class BoxSelection {
 public:
  virtual ~BoxSelection() = default;
  /// For the first images of a batch. candidates: rows of ops::kCandidateValues for each, as TopCandidates writes
  /// them; nans: not 0 where an image has one; both in the device's memory. Boxes are the same, bit for bit, as those
  /// of hard suppression on the host. Returns when they are there. Throws Error(kOutOfMemory), and what the queue
  /// throws.
  virtual std::vector<SelectedBoxes> select(Queue& queue, const std::byte* candidates, const std::byte* nans,
                                            std::span<const BoxImage> images, const BoxOptions& options) = 0;
};

/// What a selection is made for.
struct BoxSelectionShape {
  std::span<const float> anchors;  ///< [anchors][4]: y1, x1, y2, x2 in pixels of the model's input
  int64_t batch, candidates;       ///< candidates of an image
  int classes;
};

}  // namespace effdet::kernels
