// How large an image may be, and how much a file must bring for it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "vision/image.h"

namespace effdet::vision {

/// Pillow's limit against decompression bombs: twice Image.MAX_IMAGE_PIXELS.
constexpr uint64_t kMaxPixels = 2 * uint64_t{89478485};

/// Above this many decoded bytes a file whose size cannot hold the image is refused before decoding. Below it such a
/// file costs little, and Pillow's own verdict is awaited.
constexpr uint64_t kTrustedBytes = uint64_t{64} << 20;

/// The size as a header tells it. Throws Error(kBadInput) for a side of 0 and above kMaxPixels.
inline ImageSize checked_size(uint32_t width, uint32_t height, std::string_view name) {
  if (width == 0 || height == 0) bad_input("{}: the header says {} x {} pixels", name, width, height);
  if (uint64_t{width} * height > kMaxPixels)
    bad_input("{}: the header says {} x {} pixels, more than the {} that an image may have", name, width, height,
              kMaxPixels);
  return {static_cast<int>(width), static_cast<int>(height)};
}

/// For formats whose compression has no bound: a file that would grow by more than any photograph or drawing does is
/// refused, where it would become large.
inline void require_plausible(ImageSize size, uint64_t file_bytes, std::string_view name) {
  constexpr uint64_t kBestRatio = 1 << 14;
  const uint64_t decoded = uint64_t{3} * static_cast<uint64_t>(size.width) * static_cast<uint64_t>(size.height);
  if (decoded > kTrustedBytes && decoded / kBestRatio > file_bytes)
    bad_input("{}: {} bytes for the {} x {} pixels of the header; no picture is so small", name, file_bytes, size.width,
              size.height);
}

}  // namespace effdet::vision
