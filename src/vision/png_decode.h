// PNG with zlib alone. libpng is stricter and laxer than Pillow in other places than Pillow is.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// See open_image(). As in Pillow the checksums of the image data are not looked at, data after the last row are
/// ignored, and rows that are missing because the compressed stream ends early at the end of a row are zero samples.
std::unique_ptr<RowSource> open_png(std::span<const std::byte> bytes, std::string_view name);

/// The size in the header of a file that begins with the PNG signature.
ImageSize read_png_size(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
