// Images of a list: files, and members of tar files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/detect_images.h"
#include "effdet/listed_image.h"
#include "vision/row_source.h"

namespace effdet::dataset {

/// What is behind the last slash.
inline std::string_view last_part(std::string_view name) { return name.substr(name.rfind('/') + 1); }

/// The image as it is stored, and how it is to be turned. Throws as open_image(); Error(kIo) for a tar file that became
/// shorter.
std::unique_ptr<vision::RowSource> open_stored(const ListedImage& image, int& orientation,
                                               bool private_addresses = false);
/// The image as a run of detect_images() takes it: as it is to be seen, unless the options say otherwise.
std::unique_ptr<vision::RowSource> open_listed(const ListedImage& image, const DetectImagesOptions& options);
/// The content of the image's file. Throws Error(kIo).
std::shared_ptr<const std::vector<std::byte>> read_listed(const ListedImage& image);
/// That the header tells, without decoding. Throws as open_listed().
vision::ImageSize size_of_listed(const ListedImage& image);
/// Of its file; 0 where that cannot be asked.
uint64_t bytes_of_listed(const ListedImage& image);

/// WebDataset's key of a member: its name up to the first dot of the last part. Empty for a file of its own.
std::string key_of(const ListedImage& image);

}  // namespace effdet::dataset
