// AVIF, through libavif: its first picture.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// See open_image(). Throws Error(kIo) where libavif is not installed.
std::unique_ptr<RowSource> open_avif(std::span<const std::byte> bytes, std::string_view name);
ImageSize read_avif_size(std::span<const std::byte> bytes, std::string_view name);
/// Of the rotation and mirroring in the file, which stand above EXIF data.
int avif_orientation(std::span<const std::byte> bytes);

}  // namespace effdet::vision
