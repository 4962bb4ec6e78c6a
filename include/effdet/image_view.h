// Pixels in a program's own memory, in the order that cameras and decoders give them.
#pragma once

#include <cstddef>

#include "effdet/image.h"

namespace effdet {

/// How 8-bit pixels lie in memory; interleaved from left to right where nothing else is said.
enum class PixelFormat {
  kRgb,   ///< red, green, blue: Pillow's and most other libraries'
  kBgr,   ///< blue, green, red: OpenCV's
  kRgba,  ///< with a fourth byte, which is ignored
  kBgra,
  kGray,  ///< one byte a pixel
  /// A plane of luma, then one of half the width and height with blue and red difference interleaved, as hardware
  /// decoders and cameras give it. BT.601 in the range of video (16 to 235), each difference for 2 x 2 pixels: OpenCV's
  /// COLOR_YUV2RGB_NV12. Both sides are even.
  kNv12,
};

/// An image that is used where it lies: whoever takes it reads the pixels while it is called, and keeps nothing.
struct ImageView {
  const unsigned char* data = nullptr;  ///< of the first pixel of the top row
  int width = 0, height = 0;            ///< in pixels
  PixelFormat format = PixelFormat::kRgb;
  std::ptrdiff_t stride = 0;  ///< bytes from row to row; negative for rows from bottom to top; 0: rows without padding
  const unsigned char* chroma = nullptr;  ///< of NV12 the second plane; null: it follows the last row of the first
  std::ptrdiff_t chroma_stride = 0;       ///< of NV12; 0: as stride
};

/// An RgbImage where it lies; it must outlive the view. Throws Error(kUsage) where its pixels are not as many as its
/// sides say.
EFFDET_API ImageView view_of(const RgbImage& image);

/// The same pixels as an RgbImage. Throws Error(kUsage) for a view without data, with a side below 1, with rows that
/// overlap, or of NV12 with an odd side; Error(kOutOfMemory).
EFFDET_API RgbImage to_rgb(const ImageView& view);

}  // namespace effdet
