// Anti-aliased filling of outlines.
#pragma once

#include <cstdint>
#include <vector>

#include "scenes/shapes.h"

namespace effdet::scenes {

/// How much of each pixel a shape covers, for the window of pixels around the shape.
struct Coverage {
  static constexpr int kFull = 1024;

  int left = 0, top = 0, width = 0, height = 0;
  std::vector<uint16_t> values;  ///< width * height, row by row, 0 (outside) to kFull (inside)

  int at(int x, int y) const { return values[static_cast<size_t>(y) * width + x]; }
};

/// Fills an outline whose coordinates are not negative. Each pixel row is sampled on four lines, whose spans count
/// exactly in x.
Coverage rasterise(const Outline& outline);

}  // namespace effdet::scenes
