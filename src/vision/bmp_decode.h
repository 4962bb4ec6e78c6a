// BMP: uncompressed, bit fields, and run lengths.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// See open_image(). The layouts of bit fields are those that Pillow knows.
std::unique_ptr<RowSource> open_bmp(std::span<const std::byte> bytes, std::string_view name);
ImageSize read_bmp_size(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
