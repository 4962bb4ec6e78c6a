// Backgrounds of clouds, noise and tinted corners, and shapes painted over them.
#include "scenes/canvas.h"

#include <algorithm>

namespace effdet::scenes {
namespace {

uint8_t clamp_byte(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

/// The bilinear mix of four corner values, at (x / width, y / height) between them.
int mix(const std::array<int, 4>& corners, int x, int width, int y, int height) {
  const int64_t top = int64_t{corners[0]} * (width - x) + int64_t{corners[1]} * x;
  const int64_t bottom = int64_t{corners[2]} * (width - x) + int64_t{corners[3]} * x;
  return static_cast<int>((top * (height - y) + bottom * y) / (int64_t{width} * height));
}

/// Smooth brightness variations: random values on a grid, mixed bilinearly between its points.
class Clouds {
 public:
  Clouds(int width, int height, Random& random) : cell_(random.between(8, 48)), columns_(width / cell_ + 2) {
    const int amplitude = random.between(0, 20);
    values_.resize(static_cast<size_t>(columns_) * (height / cell_ + 2));
    for (int& value : values_) value = random.between(-amplitude, amplitude);
  }
  int at(int x, int y) const {
    const size_t corner = static_cast<size_t>(y / cell_) * columns_ + x / cell_;
    return mix({values_[corner], values_[corner + 1], values_[corner + columns_], values_[corner + columns_ + 1]},
               x % cell_, cell_, y % cell_, cell_);
  }

 private:
  int cell_, columns_;
  std::vector<int> values_;
};

/// For each channel its value in the four corners: greys with a slight tint, so that shapes stand out by their colour.
std::array<std::array<int, 4>, 3> corner_colours(Random& random) {
  std::array<std::array<int, 4>, 3> channels;
  for (int corner = 0; corner < 4; ++corner) {
    const int grey = random.between(40, 215);
    for (std::array<int, 4>& channel : channels) channel[corner] = grey + random.between(-12, 12);
  }
  return channels;
}

}  // namespace

vision::Image Canvas::to_image() const {
  vision::Image image(width, height);
  std::ranges::copy(pixels, image.pixels().begin());
  return image;
}

void paint_background(Canvas& canvas, Random& random) {
  const std::array<std::array<int, 4>, 3> corners = corner_colours(random);
  const Clouds clouds(canvas.width, canvas.height, random);
  const int grain = random.between(0, 8);
  for (int y = 0; y < canvas.height; ++y) {
    for (int x = 0; x < canvas.width; ++x) {
      const int brightness = clouds.at(x, y) + random.between(-grain, grain);
      for (int channel = 0; channel < 3; ++channel) {
        const int base = mix(corners[channel], x, canvas.width, y, canvas.height);
        canvas.pixel(x, y)[channel] = clamp_byte(base + brightness);
      }
    }
  }
}

void paint_shape(Canvas& canvas, const Coverage& coverage, const Colour& colour, Random& random) {
  const int grain = random.between(0, 8);
  for (int y = 0; y < coverage.height; ++y) {
    for (int x = 0; x < coverage.width; ++x) {
      const int covered = coverage.at(x, y), brightness = random.between(-grain, grain);
      uint8_t* pixel = canvas.pixel(coverage.left + x, coverage.top + y);
      for (int channel = 0; channel < 3; ++channel) {
        const int shown = std::clamp(colour[channel] + brightness, 0, 255);
        pixel[channel] = clamp_byte(pixel[channel] + (shown - pixel[channel]) * covered / Coverage::kFull);
      }
    }
  }
}

Colour from_hsv(int hue, int saturation, int value) {
  const int sector = hue / 256, fraction = hue % 256;
  const int low = value * (255 - saturation) / 255;
  const int falling = value * (255 - saturation * fraction / 256) / 255;
  const int rising = value * (255 - saturation * (256 - fraction) / 256) / 255;
  switch (sector) {
    case 0:
      return {value, rising, low};
    case 1:
      return {falling, value, low};
    case 2:
      return {low, value, rising};
    case 3:
      return {low, falling, value};
    case 4:
      return {rising, low, value};
    default:
      return {value, low, falling};
  }
}

}  // namespace effdet::scenes
