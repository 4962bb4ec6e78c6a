// JPEG through libjpeg-turbo.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// See open_image(). Accurate integer DCT and smooth chroma upsampling, as libjpeg and so Pillow do by default.
std::unique_ptr<RowSource> open_jpeg(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
