// Images as files in memory.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "effdet/export.h"
#include "effdet/image.h"

namespace effdet {

struct EncodedSize {
  int width = 0, height = 0;  ///< in pixels, as the file stores them
};
/// As decode_image(), and turned as the file's EXIF orientation says, as viewers show it. check is called with the size
/// that the header tells, before memory is taken for pixels: what it throws ends the call.
EFFDET_API RgbImage decode_upright(std::span<const std::byte> file, std::string_view name = "image",
                                   const std::function<void(EncodedSize)>& check = {});

/// The image as a baseline JPEG file with 4:2:0 chroma. quality: 1 to 100. Throws Error(kUsage) for another quality, an
/// image whose number of pixels does not match its size, or a side above 65500.
EFFDET_API std::vector<std::byte> encode_jpeg(const RgbImage& image, int quality = 90);

}  // namespace effdet
