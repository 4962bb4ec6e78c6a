// Converts RGB to the camera formats that AIPP reads: other channel orders, XRGB and YUV420.
#include "vision/camera_formats.h"

#include <algorithm>

#include "base/error.h"

namespace effdet::vision {
namespace {

void require_bytes(const Image& image, size_t halves_a_pixel, std::span<uint8_t> target) {
  const size_t pixels = static_cast<size_t>(image.width()) * static_cast<size_t>(image.height());
  if (target.size() != pixels * halves_a_pixel / 2)
    fail(ErrorCode::kInternal, "{} bytes for an image of {} x {}", target.size(), image.width(), image.height());
}

/// JFIF's conversion in fixed point, 16 bits after the point.
constexpr int kRounding = 1 << 15, kCentre = 128 << 16;
uint8_t luma(int r, int g, int b) { return static_cast<uint8_t>((19595 * r + 38470 * g + 7471 * b + kRounding) >> 16); }
uint8_t blue_difference(int r, int g, int b) {
  return static_cast<uint8_t>((-11059 * r - 21709 * g + 32768 * b + kCentre + kRounding - 1) >> 16);
}
uint8_t red_difference(int r, int g, int b) {
  return static_cast<uint8_t>((32768 * r - 27439 * g - 5329 * b + kCentre + kRounding - 1) >> 16);
}

}  // namespace

void write_bgr888(const Image& image, std::span<uint8_t> target) {
  require_bytes(image, 6, target);
  const std::span<const uint8_t> from = image.pixels();
  for (size_t i = 0; i < from.size(); i += 3) {
    target[i] = from[i + 2];
    target[i + 1] = from[i + 1];
    target[i + 2] = from[i];
  }
}

void write_xrgb8888(const Image& image, bool swapped, bool last_is_empty, std::span<uint8_t> target) {
  require_bytes(image, 8, target);
  uint8_t* to = target.data();
  const std::span<const uint8_t> from = image.pixels();
  for (size_t i = 0; i < from.size(); i += 3) {
    if (!last_is_empty) *to++ = 0;
    *to++ = from[i + (swapped ? 2 : 0)];
    *to++ = from[i + 1];
    *to++ = from[i + (swapped ? 0 : 2)];
    if (last_is_empty) *to++ = 0;
  }
}

void write_yuv400(const Image& image, std::span<uint8_t> target) {
  require_bytes(image, 2, target);
  const std::span<const uint8_t> from = image.pixels();
  for (size_t i = 0; i < target.size(); ++i) target[i] = luma(from[3 * i], from[3 * i + 1], from[3 * i + 2]);
}

void write_yuv420sp(const Image& image, bool swapped, std::span<uint8_t> target) {
  require_bytes(image, 3, target);
  const size_t pixels = target.size() / 3 * 2;
  write_yuv400(image, target.first(pixels));
  uint8_t* to = target.data() + pixels;
  for (int y = 0; y < image.height(); y += 2)
    for (int x = 0; x < image.width(); x += 2, to += 2) {
      const uint8_t *upper = image.row(y) + 3 * x, *lower = image.row(y + 1) + 3 * x;
      int mean[3];
      for (int c = 0; c < 3; ++c) mean[c] = (upper[c] + upper[c + 3] + lower[c] + lower[c + 3] + 2) / 4;
      to[swapped ? 1 : 0] = blue_difference(mean[0], mean[1], mean[2]);
      to[swapped ? 0 : 1] = red_difference(mean[0], mean[1], mean[2]);
    }
}

}  // namespace effdet::vision
