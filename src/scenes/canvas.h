// An RGB image that backgrounds and shapes are painted on.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "scenes/random.h"
#include "scenes/rasteriser.h"
#include "vision/image.h"

namespace effdet::scenes {

/// Red, green and blue, 0..255 each.
using Colour = std::array<int, 3>;

/// Interleaved 8-bit RGB, row by row.
struct Canvas {
  Canvas(int canvas_width, int canvas_height)
      : width(canvas_width), height(canvas_height), pixels(static_cast<size_t>(canvas_width) * canvas_height * 3) {}

  vision::Image to_image() const;
  uint8_t* pixel(int x, int y) { return &pixels[(static_cast<size_t>(y) * width + x) * 3]; }

  int width, height;
  std::vector<uint8_t> pixels;
};

/// Covers the canvas with a greyish gradient between four corners, clouds and grain.
void paint_background(Canvas& canvas, Random& random);

/// Blends a colour over the pixels that a shape covers; the coverage must lie within the canvas.
void paint_shape(Canvas& canvas, const Coverage& coverage, const Colour& colour, Random& random);

/// A bright, saturated colour of a hue in [0, 6 * 256): red, yellow, green, cyan, blue, magenta at the multiples of
/// 256. saturation and value are in 0..255.
Colour from_hsv(int hue, int saturation, int value);

}  // namespace effdet::scenes
