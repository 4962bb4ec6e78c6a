// The points of each shape's outline at a place, size and angle.
#include "scenes/shapes.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace effdet::scenes {
namespace {

constexpr int kUnitBits = 30;

/// kTurn unit vectors scaled by 2^kUnitBits, made by repeated rotation: libm's sine differs between machines.
std::array<Point, kTurn> make_directions() {
  constexpr int64_t kCosine = 1073721611, kSine = 6588356;  // of one step, 2 pi / kTurn
  constexpr int64_t kHalf = int64_t{1} << (kUnitBits - 1);
  std::array<Point, kTurn> directions;
  int64_t x = int64_t{1} << kUnitBits, y = 0;
  for (Point& direction : directions) {
    direction = {static_cast<int>(x), static_cast<int>(y)};
    const int64_t turned_x = (x * kCosine - y * kSine + kHalf) >> kUnitBits;
    y = (x * kSine + y * kCosine + kHalf) >> kUnitBits;
    x = turned_x;
  }
  return directions;
}

Point direction(int angle) {
  static const std::array<Point, kTurn> directions = make_directions();
  return directions[static_cast<size_t>(angle) % kTurn];
}

/// The point that lies `along` in the pose's direction and `across` at a right angle to it.
Point place(const Pose& pose, int64_t along, int64_t across) {
  const Point unit = direction(pose.angle);
  return {pose.centre.x + static_cast<int>((along * unit.x - across * unit.y) >> kUnitBits),
          pose.centre.y + static_cast<int>((along * unit.y + across * unit.x) >> kUnitBits)};
}

/// Corners spread evenly over a turn; those of odd index lie on inner_radius.
std::vector<Point> spread(const Pose& pose, int corners, int inner_radius) {
  std::vector<Point> contour;
  for (int i = 0; i < corners; ++i) {
    const Pose spoke{pose.centre, pose.radius, pose.angle + i * kTurn / corners};
    contour.push_back(place(spoke, i % 2 ? inner_radius : pose.radius, 0));
  }
  return contour;
}

std::vector<Point> polygon(const Pose& pose, int corners) { return spread(pose, corners, pose.radius); }

std::vector<Point> cross(const Pose& pose) {
  const int wide = pose.radius * 15 / 16, narrow = pose.radius * 11 / 32;  // wide^2 + narrow^2 is about radius^2
  const std::array<Point, 12> corners{{{wide, narrow},
                                       {narrow, narrow},
                                       {narrow, wide},
                                       {-narrow, wide},
                                       {-narrow, narrow},
                                       {-wide, narrow},
                                       {-wide, -narrow},
                                       {-narrow, -narrow},
                                       {-narrow, -wide},
                                       {narrow, -wide},
                                       {narrow, -narrow},
                                       {wide, -narrow}}};
  std::vector<Point> contour;
  for (const Point& corner : corners) contour.push_back(place(pose, corner.x, corner.y));
  return contour;
}

double contour_area(const std::vector<Point>& contour) {
  int64_t doubled = 0;
  for (size_t i = 0; i < contour.size(); ++i) {
    const Point a = contour[i], b = contour[(i + 1) % contour.size()];
    doubled += int64_t{a.x} * b.y - int64_t{b.x} * a.y;
  }
  return static_cast<double>(std::abs(doubled)) / (2.0 * kOne * kOne);
}

}  // namespace

Outline make_outline(Shape shape, const Pose& pose) {
  constexpr int kRoundCorners = 128;  // at most 0.03 px off a circle at the largest radius
  switch (shape) {
    case Shape::kCircle:
      return {polygon(pose, kRoundCorners)};
    case Shape::kSquare:
      return {polygon(pose, 4)};
    case Shape::kTriangle:
      return {polygon(pose, 3)};
    case Shape::kStar:
      return {spread(pose, 10, pose.radius * 7 / 16)};
    case Shape::kRing:
      return {polygon(pose, kRoundCorners), polygon({pose.centre, pose.radius * 9 / 16, pose.angle}, kRoundCorners)};
    case Shape::kCross:
      return {cross(pose)};
  }
  return {};
}

Extents extents_of(const Outline& outline) {
  const Point first = outline.front().front();
  Extents extents{first.x, first.y, first.x, first.y};
  for (const std::vector<Point>& contour : outline) {
    for (const Point& point : contour) {
      extents.left = std::min(extents.left, point.x);
      extents.top = std::min(extents.top, point.y);
      extents.right = std::max(extents.right, point.x);
      extents.bottom = std::max(extents.bottom, point.y);
    }
  }
  return extents;
}

double area_of(const Outline& outline) {
  double area = contour_area(outline.front());
  for (size_t i = 1; i < outline.size(); ++i) area -= contour_area(outline[i]);
  return area;
}

}  // namespace effdet::scenes
