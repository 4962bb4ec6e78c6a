// Means over an image's pixels from the sums of its parts.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ops/fused/requantize.h"

namespace effdet::kernels::cpu {

/// mean[c] = (sums[0][c] + sums[1][c] + ...) / pixels, in the order of the parts: the partition of an image must not
/// depend on the number of threads, or the bits would.
inline void mean_of_sums(const float* sums, int64_t parts, int64_t channels, int64_t pixels, float* mean) {
  std::copy_n(sums, channels, mean);
  for (int64_t part = 1; part < parts; ++part)
    for (int64_t c = 0; c < channels; ++c) mean[c] += sums[part * channels + c];
  const float scale = 1.0f / static_cast<float>(pixels);
  for (int64_t c = 0; c < channels; ++c) mean[c] *= scale;
}

/// Pixels whose sum of codes fits into 32 bits.
inline constexpr int64_t kMostSummedCodes = (int64_t{1} << 32) / 256;

/// The mean of a channel's numbers from the sum of its codes, which is exact.
inline float mean_of_codes(int64_t sum, int64_t pixels, const ops::Quantization& codes) {
  sum -= codes.zero_point * pixels;
  return static_cast<float>(static_cast<double>(sum) / static_cast<double>(pixels)) * codes.scale;
}

}  // namespace effdet::kernels::cpu
