// Text in pixels: letters of a font of the system, or of the bitmap font where there is none.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "vision/image.h"
#include "vision/palette.h"

namespace effdet::vision {

/// A line of text as coverage: 0 to 255 for each pixel.
struct TextBitmap {
  int width = 0, height = 0;
  std::vector<uint8_t> coverage;
};

/// A line of UTF-8 in letters of about that height; of all texts of a size, bitmaps have the same height. Characters
/// that no font has, and bytes that are no UTF-8, become boxes or '?'. A long text is cut.
TextBitmap render_text(std::string_view text, int pixels);

/// Puts it on an image with its upper left corner at (x, y), cut to the image.
void draw_text(Image& image, int x, int y, const TextBitmap& text, const Colour& colour);

}  // namespace effdet::vision
