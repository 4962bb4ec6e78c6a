// What was found in images, printed.
#pragma once

#include "effdet/detect_images.h"

namespace effdet::cli {

/// What a class is called; category: class index + 1.
std::string class_name(int category, const std::vector<std::string>& names);

/// A line for each detection; of many images, which no one reads so, their number alone. list: the file that has them;
/// empty: none.
void print_detections(const DetectImagesReport& report, const std::string& list);
void print_detections_json(const DetectImagesReport& report);

}  // namespace effdet::cli
