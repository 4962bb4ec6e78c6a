// Detections of models that decode and suppress themselves (pth2onnx --with-nms, effdet's DetBenchPredict), in pixels
// of the image.
#pragma once

#include <span>
#include <vector>

#include "effdet/detection.h"
#include "eval/detect.h"
#include "vision/preprocess.h"

namespace effdet::detection {

/// Values of a row: x1, y1, x2, y2, score, category.
inline constexpr size_t kRowValues = 6;

/// The rows of one image, multiplied by scale to become pixels of it and clipped to it, in their order. Rows of score 0
/// are filled up and left out, as are those below options.score_threshold, beyond options.max_detections, and, which
/// faults tells where it is not null, those that are not finite. Throws Error(kUsage) for soft-NMS, which comes too
/// late here.
std::vector<Detection> decode_rows(std::span<const float> rows, vision::ImageSize image, float scale,
                                   const DetectOptions& options, eval::DetectFaults* faults = nullptr);

}  // namespace effdet::detection
