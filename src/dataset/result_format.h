// How detections are written. Each format is a file in results/ and a row in result_formats.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "effdet/detect_images.h"

namespace effdet::dataset {

struct ResultFormat {
  std::string_view name;  ///< in lower case, as --format takes it
  std::string_view file;  ///< in the folder of results; the folder of the files, where each image has one
  /// The text of an image; names: by class index. An empty one stands for an image of which nothing is to be written.
  std::string (*text)(const DetectedImage& image, std::span<const std::string> names);
  std::string_view open = "", separator = "", close = "";  ///< around and between the texts of images
  std::string_view empty = "";                             ///< instead of all, where there is no text
  std::string_view extension = "";                         ///< ".txt": each image has a file of its own
};

/// Throws Error(kUsage) that lists the names.
const ResultFormat& result_format(std::string_view name);
std::span<const ResultFormat> all_result_formats();

}  // namespace effdet::dataset
