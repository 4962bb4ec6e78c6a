// Images as cameras and decoders of devices give them: other orders of channels, luma and chroma. The
// functions take just the bytes that the format has, and throw Error(kInternal) for another number.
#pragma once

#include <cstdint>
#include <span>

#include "vision/image.h"

namespace effdet::vision {

/// Three bytes a pixel: blue, green, red.
void write_bgr888(const Image& image, std::span<uint8_t> target);
/// Four bytes a pixel, one of them 0: the first, or, with last_is_empty, the last; the others red, green, blue, or with
/// swapped blue first.
void write_xrgb8888(const Image& image, bool swapped, bool last_is_empty, std::span<uint8_t> target);
/// JPEG's luma (BT.601, full range), one byte a pixel.
void write_yuv400(const Image& image, std::span<uint8_t> target);
/// JPEG's luma, then rows of interleaved chroma, each the mean of 2 x 2 pixels: blue difference first (NV12) or, with
/// swapped, red difference first (NV21). Both sides of the image must be even.
void write_yuv420sp(const Image& image, bool swapped, std::span<uint8_t> target);

}  // namespace effdet::vision
