// TIFF, through libtiff: its first page.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// See open_image(); upright, as Pillow turns TIFF, too. Grey of any type and 1 to 32 bits, palettes, RGB of 8 and 16
/// bits, CMYK, YCbCr. Throws Error(kIo) where libtiff is not installed.
std::unique_ptr<RowSource> open_tiff(std::span<const std::byte> bytes, std::string_view name);
ImageSize read_tiff_size(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
