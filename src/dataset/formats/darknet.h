// Darknet's way to describe a data set in YOLO's format, "YOLO 1.1" of CVAT, "yolo" of Datumaro.
#pragma once

#include <filesystem>
#include <vector>

#include "dataset/formats/yolo_labels.h"
#include "effdet/dataset.h"

namespace effdet::dataset::darknet {

/// obj.data, in the root or in data/; or empty.
std::filesystem::path usual_file_of(const std::filesystem::path& root);
/// The same, or what obj.data is called, where it is the only *.data; or empty.
std::filesystem::path file_of(const std::filesystem::path& root);

/// A split, and its images, relative to the root.
struct Split {
  yolo::Description description;
  std::vector<std::filesystem::path> images;
};

/// Reads the description that file_of() found. Throws Error(kIo), Error(kBadInput) that names file and line.
Split read_split(const DataSource& data);

}  // namespace effdet::dataset::darknet
