// Allocation of images, views of foreign pixels, and filled rectangles.
#include "vision/image.h"

#include <algorithm>
#include <new>

#include "base/error.h"

namespace effdet::vision {

Image::Image(int width, int height) : size_{width, height} {
  if (width < 1 || height < 1) fail(ErrorCode::kInternal, "an image of {} x {} pixels was asked for", width, height);
  const size_t bytes = row_bytes() * static_cast<size_t>(height);
  pixels_.reset(new (std::nothrow) uint8_t[bytes]);
  if (!pixels_) fail(ErrorCode::kOutOfMemory, "no memory for an image of {} x {} pixels", width, height);
}

Image Image::over(uint8_t* pixels, ImageSize size) {
  Image image;
  image.size_ = size;
  image.pixels_ = {pixels, DeletePixels{.own = false}};
  return image;
}

Image::Image(const Image& other) {
  if (other.empty()) return;
  *this = Image(other.width(), other.height());
  std::ranges::copy(other.pixels(), pixels().begin());
}

Image& Image::operator=(const Image& other) { return *this = Image(other); }

Image Image::part(int x0, int y0, int x1, int y1) const {
  Image copy(x1 - x0, y1 - y0);
  for (int y = y0; y < y1; ++y) std::copy_n(row(y) + 3 * ptrdiff_t{x0}, copy.row_bytes(), copy.row(y - y0));
  return copy;
}

void Image::fill(int x0, int y0, int x1, int y1, const uint8_t (&colour)[3]) {
  x0 = std::max(x0, 0);
  x1 = std::min(x1, width());
  y1 = std::min(y1, height());
  for (int y = std::max(y0, 0); y < y1; ++y)
    for (uint8_t *pixel = row(y) + 3 * x0, *end = row(y) + 3 * x1; pixel < end; pixel += 3)
      std::copy_n(colour, 3, pixel);
}

}  // namespace effdet::vision
