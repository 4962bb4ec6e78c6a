// Pixels to image files.
#pragma once

#include <cstddef>
#include <vector>

#include "vision/image.h"

namespace effdet::vision {

/// A baseline JPEG with 4:2:0 chroma. quality is 1..100. Throws Error(kUsage) for another quality or a side above
/// 65500.
std::vector<std::byte> encode_jpeg(const Image& image, int quality = 90);

/// An 8-bit RGB PNG. The same image gives the same bytes with the same zlib.
std::vector<std::byte> encode_png(const Image& image);

}  // namespace effdet::vision
