// SAHI's squares and its greedy merging.
#include "detection/slices.h"

#include <algorithm>

#include "base/error.h"

namespace effdet::detection {
namespace {

float area_of(const Detection& box) { return (box.x2 - box.x1) * (box.y2 - box.y1); }

/// The common part, of the smaller box or of both together.
float overlap(const Detection& a, const Detection& b, bool by_iou) {
  const float width = std::max(0.0f, std::min(a.x2, b.x2) - std::max(a.x1, b.x1)),
              height = std::max(0.0f, std::min(a.y2, b.y2) - std::max(a.y1, b.y1));
  const float common = width * height;
  const float whole = by_iou ? area_of(a) + area_of(b) - common : std::min(area_of(a), area_of(b));
  return whole > 0 ? common / whole : 0;
}

void grow(Detection& box, const Detection& other) {
  box.x1 = std::min(box.x1, other.x1);
  box.y1 = std::min(box.y1, other.y1);
  box.x2 = std::max(box.x2, other.x2);
  box.y2 = std::max(box.y2, other.y2);
}

}  // namespace

void check_options(const SliceOptions& options) {
  if (options.side != 0 && options.side < 32)
    fail(ErrorCode::kUsage, "slices of {} pixels a side: 32 are the least", options.side);
  if (!(options.overlap >= 0 && options.overlap <= 0.9f))
    fail(ErrorCode::kUsage, "an overlap of {} is not between 0 and 0.9", options.overlap);
  if (!(options.merge_threshold >= 0 && options.merge_threshold <= 1))
    fail(ErrorCode::kUsage, "a merge threshold of {} is not between 0 and 1", options.merge_threshold);
}

bool is_sliced(vision::ImageSize image, const SliceOptions& options) {
  return options.side > 0 && (image.width > options.side || image.height > options.side);
}

std::vector<Slice> slices_of(vision::ImageSize image, const SliceOptions& options) {
  const int side = options.side, step = side - static_cast<int>(options.overlap * static_cast<float>(side));
  std::vector<Slice> slices;
  for (int top = 0, bottom = 0; bottom < image.height; top += step) {
    bottom = top + side;
    for (int left = 0, right = 0; right < image.width; left += step) {
      right = left + side;
      const int x2 = std::min(right, image.width), y2 = std::min(bottom, image.height);
      slices.push_back({std::max(0, x2 - side), std::max(0, y2 - side), x2, y2});
    }
  }
  return slices;
}

void add_found(std::vector<Detection>& all, std::span<const Detection> in_slice, const Slice& slice) {
  const auto x = static_cast<float>(slice.x1), y = static_cast<float>(slice.y1);
  for (const Detection& found : in_slice)
    all.push_back({found.x1 + x, found.y1 + y, found.x2 + x, found.y2 + y, found.score, found.category});
}

std::vector<Detection> merge_detections(std::vector<Detection> detections, const SliceOptions& options, bool agnostic,
                                        int most) {
  std::ranges::stable_sort(detections, std::ranges::greater(), &Detection::score);
  std::vector<Detection> merged;
  while (!detections.empty() && merged.size() < static_cast<size_t>(most)) {
    const Detection best = detections.front();
    Detection grown = best;
    std::vector<Detection> left;
    for (size_t i = 1; i < detections.size(); ++i) {
      const Detection& other = detections[i];
      const bool matches = (agnostic || other.category == best.category) &&
                           overlap(best, other, options.merge_by_iou) >= options.merge_threshold;
      if (!matches) {
        left.push_back(other);
      } else if (overlap(grown, other, options.merge_by_iou) >= options.merge_threshold) {
        grow(grown, other);
      }
    }
    merged.push_back(grown);
    detections = std::move(left);
  }
  return merged;
}

}  // namespace effdet::detection
