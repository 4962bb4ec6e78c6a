// JPEG through libjpeg-turbo.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "vision/image.h"

namespace effdet {

/// See decode_image(). Accurate integer DCT and smooth chroma upsampling, as libjpeg and so Pillow do by default.
Image decode_jpeg(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet
