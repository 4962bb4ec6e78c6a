// WebP, through libwebp: its first frame.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// See open_image(). Throws Error(kIo) where libwebp is not installed.
std::unique_ptr<RowSource> open_webp(std::span<const std::byte> bytes, std::string_view name);
ImageSize read_webp_size(std::span<const std::byte> bytes, std::string_view name);
int webp_orientation(std::span<const std::byte> bytes);

}  // namespace effdet::vision
