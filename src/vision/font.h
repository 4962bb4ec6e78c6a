// A small bitmap font: printable ASCII, fixed width.
#pragma once

#include <cstdint>
#include <string_view>

#include "vision/image.h"

namespace effdet::vision {

/// A character takes a cell of this size; its strokes lie in the upper left 5 x 9, the baseline under the seventh row.
constexpr int kCellWidth = 6, kCellHeight = 10;

/// Size of a line of text in pixels; every font pixel becomes scale x scale.
ImageSize text_size(std::string_view text, int scale);

/// Writes text with its upper left corner at (x, y), cut to the image. Other bytes than printable ASCII become '?', one
/// for each UTF-8 character.
void draw_text(Image& image, int x, int y, std::string_view text, int scale, const uint8_t (&colour)[3]);

}  // namespace effdet::vision
