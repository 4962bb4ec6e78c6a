// The marker segments of a JPEG file up to the first scan.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "vision/image.h"

namespace effdet::vision {

struct JpegHeader {
  ImageSize size;
  int components = 0;       ///< 1 grey, 3 colour, 4 CMYK or YCCK
  bool arithmetic = false;  ///< arithmetic instead of Huffman coding
};

/// Walks the segments as Pillow's JpegImagePlugin does: junk between segments is skipped, the last frame header counts.
/// Throws Error(kBadInput), and Error(kUnsupported) for what libjpeg-turbo 2 cannot decode (lossless, 12 bit).
JpegHeader read_jpeg_header(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
