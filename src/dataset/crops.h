// What was found, cut out of its image.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "effdet/detection.h"
#include "vision/image.h"

namespace effdet::dataset {

/// Writes each detection as folder/<class>/<stem>_<number>.jpg, numbers from 1 in the order of the detections. Boxes
/// grow to whole pixels and are cut to the image; one that lies beside it is left out. In names of classes everything
/// that is no plain character of a file's name becomes '_'. Throws Error(kIo).
void write_crops(const std::filesystem::path& folder, const std::string& stem, const vision::Image& image,
                 std::span<const Detection> detections, std::span<const std::string> class_names);

}  // namespace effdet::dataset
