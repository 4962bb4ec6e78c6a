// PNM: bitmaps, greys and colours of Netpbm, plain and raw (.pbm, .pgm, .ppm).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// Whether the content begins as such a file does: with "P1" to "P6", blanks or comments, and a digit.
bool is_pnm(std::string_view content);

/// See open_image(). Of several images in a file it is the first. Samples become 8 bits as in Pillow, which clips greys
/// of more than 8 bits and scales colours. bytes is a file for which is_pnm() is true.
std::unique_ptr<RowSource> open_pnm(std::span<const std::byte> bytes, std::string_view name);
ImageSize read_pnm_size(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
