// Boxes moved apart by class, then hard or soft suppression by score, with torchvision's arithmetic.
#include "eval/nms.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace effdet::eval {
namespace {

constexpr float kSoftSigma = 0.5f;
constexpr float kSoftScoreThreshold = 0.001f;

/// Moves every class to a place of its own. Soft-NMS needs no such move, but effdet computes its IoUs on moved boxes,
/// and their coarser rounding shows in the scores.
std::vector<ScoredBox> moved_by_class(std::span<const ScoredBox> boxes, bool agnostic) {
  std::vector<ScoredBox> moved(boxes.begin(), boxes.end());
  if (agnostic) return moved;
  float largest = std::numeric_limits<float>::lowest();
  for (const auto& [box, score, label] : boxes) largest = std::max({largest, box.x1, box.y1, box.x2, box.y2});
  for (auto& [box, score, label] : moved) {
    const float offset = static_cast<float>(label) * (largest + 1.0f);
    box = {box.x1 + offset, box.y1 + offset, box.x2 + offset, box.y2 + offset};
  }
  return moved;
}

float soft_decay(const boxes::Corners& a, const boxes::Corners& b, float linear_threshold) {
  if (!(boxes::intersection(a, b) > 0)) return 1.0f;
  const float overlap = boxes::iou(a, b);
  if (linear_threshold >= 0) return overlap > linear_threshold ? 1.0f - overlap : 1.0f;
  return std::exp(-(overlap * overlap) / kSoftSigma);
}

}  // namespace

std::vector<ScoredBox> hard_nms(std::span<const ScoredBox> boxes, float iou_threshold, size_t max_kept, bool agnostic) {
  // Boxes come best first, so one is kept or gone for good once it was compared with those kept before it, and the work
  // ends as soon as enough are kept.
  std::vector<ScoredBox> kept;
  for (const auto& box : boxes) {
    if (kept.size() >= max_kept) break;
    const bool suppressed = std::any_of(kept.begin(), kept.end(), [&](const ScoredBox& other) {
      return (agnostic || other.label == box.label) && boxes::iou(other.box, box.box) > iou_threshold;
    });
    if (!suppressed) kept.push_back(box);
  }
  return kept;
}

std::vector<ScoredBox> soft_nms(std::span<const ScoredBox> boxes, size_t max_kept, bool agnostic,
                                float linear_threshold) {
  auto remaining = moved_by_class(boxes, agnostic);
  std::vector<size_t> origin(boxes.size());
  for (size_t i = 0; i < origin.size(); ++i) origin[i] = i;
  std::vector<ScoredBox> kept;
  while (!remaining.empty() && kept.size() < max_kept) {
    const auto best = std::max_element(remaining.begin(), remaining.end(),
                                       [](const ScoredBox& a, const ScoredBox& b) { return a.score < b.score; });
    const auto best_index = static_cast<size_t>(best - remaining.begin());
    const ScoredBox top = *best;
    kept.push_back(boxes[origin[best_index]]);
    kept.back().score = top.score;
    size_t left = 0;
    for (size_t i = 0; i < remaining.size(); ++i) {
      ScoredBox box = remaining[i];
      if (agnostic || box.label == top.label) box.score *= soft_decay(top.box, box.box, linear_threshold);
      if (i == best_index || !(box.score > kSoftScoreThreshold)) continue;
      remaining[left] = box;
      origin[left++] = origin[i];
    }
    remaining.resize(left);
  }
  return kept;
}

}  // namespace effdet::eval
