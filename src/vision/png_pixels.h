// PNG samples of every depth and colour type to 8-bit RGB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vision/png_chunks.h"

namespace effdet::vision {

/// Converts count packed pixels to RGB.
using PngRowConverter = void (*)(const uint8_t* samples, int count, const PngHeader& header, uint8_t* rgb);

struct PngPixelFormat {
  int bits = 0;  ///< a pixel
  PngRowConverter convert = nullptr;
};

/// Throws Error(kBadInput) for a combination of depth and colour type that PNG does not have.
PngPixelFormat png_pixel_format(const PngHeader& header, std::string_view name);

}  // namespace effdet::vision
