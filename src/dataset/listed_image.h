// Images of a list: files, and members of tar files.
#pragma once

#include <memory>
#include <string>

#include "effdet/detect_images.h"
#include "vision/row_source.h"

namespace effdet::dataset {

/// Throws as open_image(); Error(kIo) for a tar file that became shorter.
std::unique_ptr<vision::RowSource> open_listed(const ListedImage& image);

/// WebDataset's key of a member: its name up to the first dot of the last part. Empty for a file of its own.
std::string key_of(const ListedImage& image);

}  // namespace effdet::dataset
