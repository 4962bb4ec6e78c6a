// An 8-bit RGB image in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace effdet::vision {

/// Sides of an image in pixels.
struct ImageSize {
  int width = 0, height = 0;
  bool operator==(const ImageSize&) const = default;
};

/// Those of an image that are its own.
struct DeletePixels {
  bool own = true;
  void operator()(uint8_t* pixels) const {
    if (own) delete[] pixels;
  }
};

/// Interleaved 8-bit RGB, rows from top to bottom without gaps between them.
class Image {
 public:
  Image() = default;
  /// The pixels are not initialised, so that memory is taken only as they are written: a decoder may believe a header
  /// before the data have come. Throws Error(kInternal) for a side below 1 and Error(kOutOfMemory).
  Image(int width, int height);
  /// Pixels that belong to somebody else and must outlive the image; copies of it have their own.
  static Image over(uint8_t* pixels, ImageSize size);
  Image(const Image& other);
  Image& operator=(const Image& other);
  Image(Image&&) noexcept = default;
  Image& operator=(Image&&) noexcept = default;

  int width() const { return size_.width; }
  int height() const { return size_.height; }
  ImageSize size() const { return size_; }
  bool empty() const { return pixels_ == nullptr; }
  size_t row_bytes() const { return static_cast<size_t>(size_.width) * 3; }

  uint8_t* row(int y) { return pixels_.get() + static_cast<size_t>(y) * row_bytes(); }
  const uint8_t* row(int y) const { return pixels_.get() + static_cast<size_t>(y) * row_bytes(); }
  std::span<const uint8_t> pixels() const { return {pixels_.get(), row_bytes() * static_cast<size_t>(size_.height)}; }
  std::span<uint8_t> pixels() { return {pixels_.get(), row_bytes() * static_cast<size_t>(size_.height)}; }

  /// A copy of [x0, x1) x [y0, y1), which must lie in the image.
  Image part(int x0, int y0, int x1, int y1) const;
  /// Paints [x0, x1) x [y0, y1), cut to the image.
  void fill(int x0, int y0, int x1, int y1, const uint8_t (&colour)[3]);

 private:
  ImageSize size_;
  std::unique_ptr<uint8_t[], DeletePixels> pixels_;
};

}  // namespace effdet::vision
