// The scalar row kernels, and the choice of the set that the processor can run.
#include "vision/row_kernels.h"

#include "vision/resample_weights.h"

namespace effdet::vision {
namespace {

constexpr int32_t kHalf = 1 << (kWeightBits - 1);

uint8_t rounded(int32_t sum) {
  const int32_t value = sum >> kWeightBits;
  return static_cast<uint8_t>(value > 255 ? 255 : value);
}

int32_t weight(const TapTable& taps, int tap, int output) {
  const ptrdiff_t at = static_cast<ptrdiff_t>(tap / 2) * taps.outputs + output;
  const int shift = tap % 2 * 16;
  return (taps.low[at] >> shift & 0xFFFF) + ((taps.high[at] >> shift & 0xFFFF) << kLowBits);
}

void resample_across(const uint8_t* rgb, const TapTable& taps, uint8_t* planes, ptrdiff_t plane_stride) {
  for (int x = 0; x < taps.outputs; ++x) {
    const uint8_t* pixel = rgb + 3 * static_cast<ptrdiff_t>(taps.first[x]);
    int32_t sum[3] = {kHalf, kHalf, kHalf};
    for (int tap = 0; tap < 2 * taps.pairs; ++tap, pixel += 3)
      for (int channel = 0; channel < 3; ++channel) sum[channel] += pixel[channel] * weight(taps, tap, x);
    for (int channel = 0; channel < 3; ++channel) planes[channel * plane_stride + x] = rounded(sum[channel]);
  }
}

void resample_down(const uint8_t* const* rows, const TapTable& taps, int output, uint8_t* out, ptrdiff_t bytes) {
  for (ptrdiff_t i = 0; i < bytes; ++i) {
    int32_t sum = kHalf;
    for (int tap = 0; tap < 2 * taps.pairs; ++tap) sum += rows[tap][i] * weight(taps, tap, output);
    out[i] = rounded(sum);
  }
}

void normalise(const uint8_t* in, int count, float mean, float std, float* out) {
  for (int i = 0; i < count; ++i) out[i] = (static_cast<float>(in[i]) - mean) / std;
}

void interleave(const uint8_t* planes, ptrdiff_t plane_stride, int count, uint8_t* rgb) {
  for (int x = 0; x < count; ++x)
    for (int channel = 0; channel < 3; ++channel) rgb[3 * x + channel] = planes[channel * plane_stride + x];
}

}  // namespace

const RowKernels& scalar_row_kernels() {
  static const RowKernels kernels{"scalar", resample_across, resample_down, normalise, interleave};
  return kernels;
}

const RowKernels& row_kernels() {
  static const RowKernels* const best = avx2_row_kernels() ? avx2_row_kernels() : &scalar_row_kernels();
  return *best;
}

}  // namespace effdet::vision
