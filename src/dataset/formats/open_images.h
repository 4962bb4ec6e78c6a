// What the rules of Open Images need of its files beside the boxes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "effdet/dataset.h"

namespace effdet::dataset {

/// The categories by their labels ("/m/011k07"). Throws as reading the data set does.
std::map<std::string, int64_t> open_images_labels(const DataSource& data);

/// Files that lie beside the annotations of a split; empty where there are none.
std::filesystem::path open_images_hierarchy(const DataSource& data);
std::filesystem::path open_images_image_labels(const DataSource& data);

}  // namespace effdet::dataset
