// Non-maximum suppression within classes, hard and soft.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/box_arithmetic.h"

namespace effdet::eval {

/// A decoded box, its score and its class (from 0).
struct ScoredBox {
  boxes::Corners box;
  float score;
  int label;
};

/// The first max_kept boxes that greedy suppression within each class keeps: a box goes where its IoU with a kept one
/// of its class is above iou_threshold. As torchvision's batched_nms does for more than 1000 boxes (each class by
/// itself, IoU in float32). agnostic: all boxes count as of one class. Precondition: boxes in order of falling score.
std::vector<ScoredBox> hard_nms(std::span<const ScoredBox> boxes, float iou_threshold, size_t max_kept,
                                bool agnostic = false);

/// Gaussian soft-NMS as effdet's batched_soft_nms: the best box is taken, the scores of the others of its class fall by
/// exp(-IoU^2 / 0.5), those at 0.001 or less are dropped, and so on until max_kept are taken. The scores returned are
/// the lowered ones, in falling order. linear_threshold: where it is not negative, scores fall by 1 - IoU instead,
/// where that IoU is above it (effdet's method_gaussian=False).
std::vector<ScoredBox> soft_nms(std::span<const ScoredBox> boxes, size_t max_kept, bool agnostic = false,
                                float linear_threshold = -1);

}  // namespace effdet::eval
