// Reads rows of boxes, scores and classes, and moves them from the letterbox to the image.
#include "detection/row_decoder.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace effdet::detection {

std::vector<Detection> decode_rows(std::span<const float> rows, vision::ImageSize image, float scale,
                                   const DetectOptions& options, eval::DetectFaults* faults) {
  if (options.soft_nms || options.agnostic)
    fail(ErrorCode::kUsage, "the model suppresses boxes itself, so {} has nothing left to do",
         options.soft_nms ? "soft-NMS" : "suppression across classes");
  const auto within = [scale](float value, int side) {
    return std::clamp(value * scale, 0.0f, static_cast<float>(side));
  };
  eval::DetectFaults found;
  std::vector<Detection> detections;
  for (size_t at = 0; at + kRowValues <= rows.size(); at += kRowValues) {
    const std::span<const float> row = rows.subspan(at, kRowValues);
    if (row[4] == 0) continue;
    constexpr float kMost = 1e9f;  // of a category, which becomes an int
    if (!std::ranges::all_of(row, [](float value) { return std::isfinite(value); }) || std::abs(row[5]) > kMost) {
      found.not_finite_box = true;
      continue;
    }
    const auto category = static_cast<int>(row[5]);
    if (!options.categories.empty() && std::ranges::find(options.categories, category) == options.categories.end())
      continue;
    if (row[4] < options.score_threshold || detections.size() >= static_cast<size_t>(options.max_detections)) continue;
    detections.push_back({within(row[0], image.width), within(row[1], image.height), within(row[2], image.width),
                          within(row[3], image.height), row[4], category});
  }
  if (faults != nullptr) *faults = found;
  return detections;
}

}  // namespace effdet::detection
