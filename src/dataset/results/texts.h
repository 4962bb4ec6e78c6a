// The texts of the formats of results, and what they share.
#pragma once

#include <span>
#include <string>

#include "effdet/detect_images.h"

namespace effdet::dataset::results {

/// Each is ResultFormat::text of its format.
std::string json_text(const DetectedImage& image, std::span<const std::string> names);
std::string jsonl_text(const DetectedImage& image, std::span<const std::string> names);
std::string coco_text(const DetectedImage& image, std::span<const std::string> names);
std::string csv_text(const DetectedImage& image, std::span<const std::string> names);
std::string yolo_text(const DetectedImage& image, std::span<const std::string> names);
std::string voc_text(const DetectedImage& image, std::span<const std::string> names);

}  // namespace effdet::dataset::results
