// The outlines of the shapes, in fixed-point integers so that every machine draws the same pixels.
#pragma once

#include <array>
#include <string_view>
#include <vector>

namespace effdet::scenes {

/// One pixel in fixed-point coordinates. Pixel (0, 0) covers [0, kOne) in x and y.
inline constexpr int kOne = 256;
/// A full turn in the unit of angles.
inline constexpr int kTurn = 1024;

struct Point {
  int x = 0, y = 0;
};

/// Closed polygons that are filled by the even-odd rule: a contour inside another is a hole.
using Outline = std::vector<std::vector<Point>>;

enum class Shape { kCircle, kSquare, kTriangle, kStar, kRing, kCross };
/// Class names in the order of Shape.
inline constexpr std::array<std::string_view, 6> kShapeNames{"circle", "square", "triangle", "star", "ring", "cross"};

/// Where a shape lies: centre and circumscribed radius in 1/kOne pixel, angle in 1/kTurn of a turn.
struct Pose {
  Point centre;
  int radius = 0;
  int angle = 0;
};

Outline make_outline(Shape shape, const Pose& pose);

/// Extents in 1/kOne pixel.
struct Extents {
  int left = 0, top = 0, right = 0, bottom = 0;
};

/// The tight box of an outline that has a point.
Extents extents_of(const Outline& outline);

/// The area in pixels that the outline fills. Contours inside another must turn the same way as it and are subtracted.
double area_of(const Outline& outline);

}  // namespace effdet::scenes
