// Places shapes so that none hides too much of another, and measures their boxes.
#include "scenes/scene.h"

#include <algorithm>

namespace effdet::scenes {
namespace {

constexpr int kMaxObjects = 6;
constexpr int kSmallestDiameter = 32, kLargestDiameter = 160;  // of the circumscribed circle, in pixels

/// Remembers which object each pixel shows, so that a new one cannot hide too much of those below it.
class Visibility {
 public:
  Visibility(int width, int height) : width_(width), owners_(static_cast<size_t>(width) * height, kNobody) {}

  /// Whether every object stays at least 85 % visible under the new shape.
  bool allows(const Coverage& coverage) const {
    std::vector<int> visible = visible_;
    for_covered(coverage, [&](size_t pixel) {
      if (owners_[pixel] != kNobody) --visible[owners_[pixel]];
    });
    for (size_t i = 0; i < visible.size(); ++i) {
      if (visible[i] * 100 < whole_[i] * 85) return false;
    }
    return true;
  }
  void add(const Coverage& coverage) {
    const uint8_t owner = static_cast<uint8_t>(whole_.size());
    int whole = 0;
    for_covered(coverage, [&](size_t pixel) {
      if (owners_[pixel] != kNobody) --visible_[owners_[pixel]];
      owners_[pixel] = owner;
      ++whole;
    });
    visible_.push_back(whole);
    whole_.push_back(whole);
  }

 private:
  static constexpr uint8_t kNobody = 255;

  template <typename Action>
  void for_covered(const Coverage& coverage, Action action) const {
    for (int y = 0; y < coverage.height; ++y) {
      for (int x = 0; x < coverage.width; ++x) {
        if (coverage.at(x, y) * 2 < Coverage::kFull) continue;
        action(static_cast<size_t>(coverage.top + y) * width_ + coverage.left + x);
      }
    }
  }

  int width_;
  std::vector<uint8_t> owners_;
  std::vector<int> visible_, whole_;  // pixels of each object
};

/// A random place and size so that the whole shape lies within the image.
Pose random_pose(const Canvas& canvas, Random& random) {
  const int shorter = std::min(canvas.width, canvas.height);
  const int largest = std::min(kLargestDiameter, shorter * 5 / 8);
  Pose pose;
  pose.radius = random.between(kSmallestDiameter * kOne / 2, largest * kOne / 2);
  const int margin = pose.radius + kOne;
  pose.centre.x = random.between(margin, canvas.width * kOne - margin);
  pose.centre.y = random.between(margin, canvas.height * kOne - margin);
  pose.angle = random.between(0, kTurn - 1);
  return pose;
}

/// A colour of the shape's own family of hues.
Colour random_colour(Shape shape, Random& random) {
  constexpr int kHues = 6 * 256;
  const int home = static_cast<int>(shape) * kHues / static_cast<int>(kShapeNames.size());
  const int hue = (home + random.between(-72, 72) + kHues) % kHues;
  const int value = random.between(150, 255), saturation = random.between(160, 255);
  return from_hsv(hue, saturation, value);
}

Object describe(Shape shape, const Outline& outline) {
  const Extents extents = extents_of(outline);
  constexpr double kPixel = 1.0 / kOne;
  return {shape,
          extents.left * kPixel,
          extents.top * kPixel,
          (extents.right - extents.left) * kPixel,
          (extents.bottom - extents.top) * kPixel,
          area_of(outline)};
}

/// Tries to find room for one more shape.
void add_object(Scene& scene, Visibility& visibility, Random& random) {
  constexpr int kAttempts = 20;
  const Shape shape = static_cast<Shape>(random.between(0, static_cast<int>(kShapeNames.size()) - 1));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Outline outline = make_outline(shape, random_pose(scene.canvas, random));
    const Coverage coverage = rasterise(outline);
    if (!visibility.allows(coverage)) continue;
    visibility.add(coverage);
    paint_shape(scene.canvas, coverage, random_colour(shape, random), random);
    scene.objects.push_back(describe(shape, outline));
    return;
  }
}

}  // namespace

Scene make_scene(uint64_t seed, int min_side, int max_side) {
  Random random(seed);
  const int width = random.between(min_side, max_side), height = random.between(min_side, max_side);
  Scene scene{Canvas(width, height), {}};
  paint_background(scene.canvas, random);
  Visibility visibility(width, height);
  const int wanted = random.between(1, kMaxObjects);
  for (int i = 0; i < wanted; ++i) add_object(scene, visibility, random);
  return scene;
}

}  // namespace effdet::scenes
