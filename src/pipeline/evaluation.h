// COCO numbers in the public form.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "effdet/dataset.h"
#include "eval/coco_dataset.h"
#include "eval/coco_results.h"

namespace effdet::pipeline {

/// Evaluates results on the given images. Throws as evaluate_coco().
Evaluation evaluate(const CocoDataset& dataset, std::span<const CocoResult> results,
                    std::span<const int64_t> image_ids);

/// Detections, image by image, to results; writes them to a file where the path is not empty, and evaluates them.
Evaluation evaluate_detections(const CocoDataset& dataset, std::span<const CocoImage* const> images,
                               std::span<const std::vector<Detection>> detections,
                               const std::filesystem::path& results_file);

}  // namespace effdet::pipeline
