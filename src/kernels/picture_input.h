// Pictures as a network's input, prepared on its device: resized, letterboxed and normalised where the network reads
// it, so that no more than the picture's bytes is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kernel.h"

namespace effdet::kernels {

/// How samples of a picture become those of the resized one, along an axis: output i is the sum over the taps t of
/// weights[t * first.size() + i] * sample first[i] + t, in fixed point. Samples past the last one weigh 0.
struct AxisTaps {
  int in_size, out_size;
  int taps;
  std::span<const int32_t> first;    ///< by output; there may be more than out_size
  std::span<const int32_t> weights;  ///< [taps][outputs]
  int weight_bits;                   ///< after the binary point
};

/// Decoded RGB, and how it lies in the input: resized, from the top left corner on. Between its two passes samples are
/// rounded to 8 bits.
struct Picture {
  std::span<const std::byte> rgb;  ///< [down.in_size][across.in_size][3], in the host's memory
  AxisTaps across, down;
  bool columns_first;  ///< resized down before it is across
};

/// The input: float32 [3][height][width], (sample - mean) / std, and what stands beside the picture.
struct PictureTarget {
  int height, width;
  float mean[3], std[3], fill[3];
};

/// Of one session, whose memory it uses. Not to be used by two threads at once.
class PictureInput {
 public:
  virtual ~PictureInput() = default;
  /// Puts into the queue what writes the picture at `to` in the device's memory, the same, bit for bit, as on the host.
  /// The picture may change when it returns. Throws Error(kOutOfMemory), and what the queue throws.
  virtual void write(Queue& queue, const Picture& picture, const PictureTarget& target, std::byte* to) = 0;
};

}  // namespace effdet::kernels
