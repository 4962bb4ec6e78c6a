// PNM: bitmaps, greys and colours of Netpbm, plain and raw (.pbm, .pgm, .ppm).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// See open_image(). Of several images in a file it is the first. Samples become 8 bits as in Pillow, which clips greys
/// of more than 8 bits and scales colours.
std::unique_ptr<RowSource> open_pnm(std::span<const std::byte> bytes, std::string_view name);
ImageSize read_pnm_size(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
