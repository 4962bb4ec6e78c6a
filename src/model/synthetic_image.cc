// Noise of several scales, with outlines of other textures in front of it.
#include "model/synthetic_image.h"

#include <algorithm>
#include <vector>

namespace effdet::model {
namespace {

/// Adds noise whose random values lie on a grid of the given cell size, bilinear between them.
void add_smooth_noise(std::span<float> plane, int size, int cell, float amplitude, RandomStream& random) {
  const int points = size / cell + 2;
  std::vector<float> grid(static_cast<size_t>(points) * points);
  for (float& value : grid) value = random.uniform(-amplitude, amplitude);
  for (int y = 0; y < size; ++y) {
    const float fy = static_cast<float>(y % cell) / cell;
    const float* above = &grid[static_cast<size_t>(y / cell) * points];
    const float* below = above + points;
    for (int x = 0; x < size; ++x) {
      const float fx = static_cast<float>(x % cell) / cell;
      const int i = x / cell;
      const float top = above[i] + fx * (above[i + 1] - above[i]), bottom = below[i] + fx * (below[i + 1] - below[i]);
      plane[static_cast<size_t>(y) * size + x] += top + fy * (bottom - top);
    }
  }
}

/// Three planes around a random colour: mostly gray structure, as photographs have it, and some of each channel's own.
std::vector<float> textured_image(int size, RandomStream& random) {
  const size_t area = static_cast<size_t>(size) * size;
  const float contrast = random.uniform(0.05f, 0.4f);
  const float colourfulness = random.uniform(0.1f, 0.7f);
  const float decay = random.uniform(0.5f, 1.0f);  // per octave: from smooth to rough
  std::vector<float> image(3 * area), gray(area);
  const auto add_octaves = [&](std::span<float> plane, float amplitude) {
    for (int cell = size / 2; cell >= 1; cell /= 2, amplitude *= decay)
      add_smooth_noise(plane, size, cell, amplitude, random);
  };
  add_octaves(gray, contrast);
  for (size_t c = 0; c < 3; ++c) {
    const auto plane = std::span(image).subspan(c * area, area);
    std::fill(plane.begin(), plane.end(), random.uniform(0.0f, 1.0f));
    add_octaves(plane, contrast * colourfulness);
    for (size_t i = 0; i < area; ++i) plane[i] += gray[i];
  }
  return image;
}

struct Outline {
  bool ellipse;
  int centre_y, centre_x, half_height, half_width;

  bool contains(int y, int x) const {
    const double dy = static_cast<double>(y - centre_y) / half_height;
    const double dx = static_cast<double>(x - centre_x) / half_width;
    return ellipse ? dy * dy + dx * dx < 1 : dy * dy < 1 && dx * dx < 1;
  }
};

Outline random_outline(int size, RandomStream& random) {
  const auto below = [&](int limit) { return static_cast<int>(random.next() % static_cast<uint64_t>(limit)); };
  const int reach = size >> (2 + below(4));  // as many small ones as large ones
  return {below(2) == 0, below(size), below(size), 2 + below(reach), 2 + below(reach)};
}

/// Values in 0..1.
void draw_image(std::span<float> image, int size, RandomStream& random) {
  constexpr int kOutlines = 24, kTextures = 4;
  const size_t area = static_cast<size_t>(size) * size;
  const auto background = textured_image(size, random);
  std::copy(background.begin(), background.end(), image.begin());
  for (int texture = 0; texture < kTextures; ++texture) {
    const auto foreground = textured_image(size, random);
    for (int i = 0; i < kOutlines / kTextures; ++i) {
      const Outline outline = random_outline(size, random);
      for (size_t p = 0; p < area; ++p)
        if (outline.contains(static_cast<int>(p) / size, static_cast<int>(p) % size))
          for (size_t c = 0; c < 3; ++c) image[c * area + p] = foreground[c * area + p];
    }
  }
  for (float& value : image) value = std::clamp(value, 0.0f, 1.0f);
}

}  // namespace

Tensor synthetic_images(const Variant& variant, int batch, int size, RandomStream& random) {
  Tensor images(DType::kF32, {batch, 3, size, size});
  const size_t area = static_cast<size_t>(size) * size;
  for (int i = 0; i < batch; ++i) {
    const auto image = images.mutable_data<float>().subspan(static_cast<size_t>(i) * 3 * area, 3 * area);
    draw_image(image, size, random);
    for (size_t c = 0; c < 3; ++c)
      for (float& value : image.subspan(c * area, area))
        value = (value - static_cast<float>(variant.mean[c])) / static_cast<float>(variant.std[c]);
  }
  return images;
}

}  // namespace effdet::model
