// Bilinear resizing without antialias.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vision/image.h"

namespace effdet {

/// Rows of an image resized as OpenCV's resize does by default (INTER_LINEAR) for floating-point pictures: half-pixel
/// centres, weights in float32.
class RowSampler {
 public:
  /// image must outlive the sampler. Throws Error(kUsage) for a side below 1.
  RowSampler(const Image& image, int width, int height);

  /// The next output row, from the top, as interleaved RGB in 0..255. Valid until the next call. Precondition: called
  /// at most height times.
  std::span<const float> next_row();

 private:
  /// The two samples between which one lies, and the share of the second.
  struct Tap {
    int first, second;
    float share;
  };
  static std::vector<Tap> taps(int in_size, int out_size);
  float between(const uint8_t* row, const Tap& tap, size_t channel) const;

  const Image& image_;
  std::vector<Tap> across_, down_;
  size_t done_ = 0;
  std::vector<float> row_;
};

}  // namespace effdet
