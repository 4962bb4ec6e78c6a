// Bilinear resizing without antialias.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "vision/row_source.h"

namespace effdet::vision {

/// Rows of an image resized as OpenCV's resize does by default (INTER_LINEAR) for floating-point images: half-pixel
/// centres, weights in float32.
class RowSampler {
 public:
  /// source must outlive the sampler, and be new. Throws Error(kUsage) for a side below 1.
  RowSampler(RowSource& source, int width, int height);

  /// The next output row, from the top, as interleaved RGB in 0..255. Valid until the next call. Precondition: called
  /// at most height times. Throws what the source throws.
  std::span<const float> next_row();

 private:
  /// The two samples between which one lies, and the share of the second.
  struct Tap {
    int first, second;
    float share;
  };
  static std::vector<Tap> taps(int in_size, int out_size);
  const uint8_t* read_to(int y);
  float between(const uint8_t* row, const Tap& tap, size_t channel) const;

  RowSource& source_;
  std::vector<Tap> across_, down_;
  std::array<std::vector<uint8_t>, 2> last_;  ///< the rows of the source that were read last
  int read_ = 0;
  size_t done_ = 0;
  std::vector<float> row_;
};

}  // namespace effdet::vision
