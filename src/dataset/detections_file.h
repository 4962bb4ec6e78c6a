// The file of what was found in images.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "effdet/detect_images.h"

namespace effdet::dataset {

/// As write_detections() has it. Throws Error(kIo).
void write_detections_file(const std::filesystem::path& path, std::span<const DetectedImage> images,
                           std::span<const std::string> class_names);

}  // namespace effdet::dataset
