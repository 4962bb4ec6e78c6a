// One scene: shapes laid out over a background.
#pragma once

#include <cstdint>
#include <vector>

#include "scenes/canvas.h"
#include "scenes/shapes.h"

namespace effdet::scenes {

/// A shape in a scene. The box is the tight extent of the whole shape, hidden parts included, in pixels.
struct Object {
  Shape shape = Shape::kCircle;
  double x = 0, y = 0, width = 0, height = 0;
  double area = 0;  ///< of the whole shape in square pixels
};

struct Scene {
  Canvas canvas;
  std::vector<Object> objects;
};

/// Draws 1 to 6 shapes that lie within the image, each at least 85 % visible. Image sides in pixels are uniform in
/// [min_side, max_side]; min_side must be at least kSmallestSide. The same seed gives the same pixels on every machine.
Scene make_scene(uint64_t seed, int min_side, int max_side);

inline constexpr int kSmallestSide = 64;

}  // namespace effdet::scenes
