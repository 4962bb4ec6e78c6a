// Shapes, their pixels and boxes, and how they are laid out.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "scenes/canvas.h"
#include "scenes/random.h"
#include "scenes/rasteriser.h"
#include "scenes/scene.h"
#include "scenes/shapes.h"

namespace effdet::scenes {
namespace {

constexpr Pose kPose{{100 * kOne, 80 * kOne}, 40 * kOne, 77};

std::vector<Shape> all_shapes() {
  std::vector<Shape> shapes;
  for (size_t i = 0; i < kShapeNames.size(); ++i) shapes.push_back(static_cast<Shape>(i));
  return shapes;
}

/// FNV-1a, to pin pixels down in one number.
uint64_t hash(const std::vector<uint8_t>& bytes) {
  uint64_t value = 0xcbf29ce484222325u;
  for (const uint8_t byte : bytes) value = (value ^ byte) * 0x100000001b3u;
  return value;
}

/// The tight box in pixels of what is at least half covered.
Extents covered_pixels(const Coverage& coverage) {
  Extents extents{1 << 20, 1 << 20, 0, 0};
  for (int y = 0; y < coverage.height; ++y) {
    for (int x = 0; x < coverage.width; ++x) {
      if (coverage.at(x, y) * 2 < Coverage::kFull) continue;
      extents.left = std::min(extents.left, coverage.left + x);
      extents.top = std::min(extents.top, coverage.top + y);
      extents.right = std::max(extents.right, coverage.left + x + 1);
      extents.bottom = std::max(extents.bottom, coverage.top + y + 1);
    }
  }
  return extents;
}

TEST(Random, FollowsSplitmix64) {
  Random random(1234567);  // the published reference sequence of this seed
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
}

TEST(Random, ReachesBothBounds) {
  Random random(3);
  std::set<int> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.between(-2, 2));
  EXPECT_EQ(seen, (std::set<int>{-2, -1, 0, 1, 2}));
}

TEST(Shapes, AreasMatchGeometry) {
  const double radius = 40;
  EXPECT_NEAR(area_of(make_outline(Shape::kCircle, kPose)), M_PI * radius * radius, 5);
  EXPECT_NEAR(area_of(make_outline(Shape::kSquare, kPose)), 2 * radius * radius, 1);
  EXPECT_NEAR(area_of(make_outline(Shape::kTriangle, kPose)), 3 * std::sqrt(3) / 4 * radius * radius, 5);
  EXPECT_NEAR(area_of(make_outline(Shape::kRing, kPose)), M_PI * radius * radius * (1 - 81.0 / 256), 5);
}

TEST(Shapes, StayWithinTheirCircle) {
  for (const Shape shape : all_shapes()) {
    const Outline outline = make_outline(shape, kPose);
    for (const Point& point : outline.front()) {
      EXPECT_LE(std::hypot(point.x - kPose.centre.x, point.y - kPose.centre.y), kPose.radius + 2);
    }
  }
}

TEST(Rasteriser, CoverageSumsToTheArea) {
  for (const Shape shape : all_shapes()) {
    const Outline outline = make_outline(shape, kPose);
    const Coverage coverage = rasterise(outline);
    double sum = 0;
    for (const uint16_t value : coverage.values) {
      ASSERT_LE(value, Coverage::kFull);
      sum += value;
    }
    EXPECT_NEAR(sum / Coverage::kFull, area_of(outline), 0.005 * area_of(outline))
        << kShapeNames[static_cast<int>(shape)];
  }
}

TEST(Rasteriser, FillsAlignedSquareExactly) {
  const Outline square{{{2 * kOne, kOne}, {4 * kOne, kOne}, {4 * kOne, 3 * kOne}, {2 * kOne, 3 * kOne}}};
  const Coverage coverage = rasterise(square);
  for (int y = 0; y < coverage.height; ++y) {
    for (int x = 0; x < coverage.width; ++x) EXPECT_EQ(coverage.at(x, y), x < 2 && y < 2 ? Coverage::kFull : 0);
  }
}

TEST(Rasteriser, BoxIsTightAroundThePixels) {
  for (const Shape shape : {Shape::kCircle, Shape::kRing, Shape::kCross}) {
    const Outline outline = make_outline(shape, kPose);
    const Extents exact = extents_of(outline), drawn = covered_pixels(rasterise(outline));
    EXPECT_NEAR(drawn.left, exact.left / double{kOne}, 2.5);
    EXPECT_NEAR(drawn.top, exact.top / double{kOne}, 2.5);
    EXPECT_NEAR(drawn.right, exact.right / double{kOne}, 2.5);
    EXPECT_NEAR(drawn.bottom, exact.bottom / double{kOne}, 2.5);
  }
}

TEST(Canvas, ColoursOfTheSixHues) {
  EXPECT_EQ(from_hsv(0, 255, 200), (Colour{200, 0, 0}));
  EXPECT_EQ(from_hsv(2 * 256, 255, 200), (Colour{0, 200, 0}));
  EXPECT_EQ(from_hsv(4 * 256, 255, 200), (Colour{0, 0, 200}));
  EXPECT_EQ(from_hsv(700, 0, 99), (Colour{99, 99, 99}));
}

TEST(Scene, KeepsObjectsInside) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const Scene scene = make_scene(seed, kSmallestSide, 320);
    ASSERT_GE(scene.objects.size(), 1u);
    ASSERT_LE(scene.objects.size(), 6u);
    for (const Object& object : scene.objects) {
      EXPECT_GE(object.x, 0);
      EXPECT_GE(object.y, 0);
      EXPECT_LE(object.x + object.width, scene.canvas.width);
      EXPECT_LE(object.y + object.height, scene.canvas.height);
      EXPECT_GT(object.area, 0);
      EXPECT_LE(object.area, object.width * object.height);
    }
  }
}

TEST(Scene, HasTheSamePixelsOnEveryMachine) {
  const Scene scene = make_scene(7, 192, 320);
  EXPECT_EQ(hash(scene.canvas.pixels), 4314494801259021606u);
  EXPECT_NE(hash(make_scene(8, 192, 320).canvas.pixels), hash(scene.canvas.pixels));
}

}  // namespace
}  // namespace effdet::scenes
