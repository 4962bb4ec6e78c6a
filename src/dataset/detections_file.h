// The file, or the folder of files, of what was found in images.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "effdet/detect_images.h"

namespace effdet::dataset {

/// format: as DetectImagesOptions has it. Throws Error(kIo), Error(kUsage) for an unknown format.
void write_detections_file(const std::filesystem::path& path, std::span<const DetectedImage> images,
                           std::span<const std::string> class_names, std::string_view format);

}  // namespace effdet::dataset
