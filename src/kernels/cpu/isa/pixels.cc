// Camera pixels to float planes, a row at a time: samples apart, colours converted, normalised. Plain loops over bytes,
// which the compiler vectorises.
#include "kernels/cpu/isa/kernels.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

template <int step>
EFFDET_INLINE void pick(const uint8_t* from, int count, uint8_t* to) {
  for (int i = 0; i < count; ++i) to[i] = from[step * i];
}

/// Each sample for two pixels, of which there is an even number.
EFFDET_INLINE void pick_shared(const uint8_t* from, int step, int count, uint8_t* to) {
  for (int i = 0; i + 1 < count; i += 2) to[i] = to[i + 1] = from[i / 2 * step];
}

/// One channel's samples side by side: where they lie so already, or in `to`.
EFFDET_INLINE const uint8_t* samples_of(const PixelRow& row, int channel, uint8_t* to) {
  const PixelRow::Samples& samples = row.samples[channel];
  if (samples.shared) {
    pick_shared(samples.first, samples.step, row.count, to);
  } else if (samples.step == 1) {
    return samples.first;
  } else if (samples.step == 3) {
    pick<3>(samples.first, row.count, to);
  } else {
    pick<4>(samples.first, row.count, to);
  }
  return to;
}

/// clamp(((M (in - input_bias)) >> 8) + output_bias).
EFFDET_INLINE void convert(const ColourMatrix& m, const uint8_t* const in[3], int count, uint8_t* const out[3]) {
  const int32_t *f = m.factor, *bias = m.input_bias;
  const uint8_t *in0 = in[0], *in1 = in[1], *in2 = in[2];
  for (int channel = 0; channel < 3; ++channel, f += 3) {
    const int32_t f0 = f[0], f1 = f[1], f2 = f[2], add = m.output_bias[channel];
    const int32_t constant = -(f0 * bias[0] + f1 * bias[1] + f2 * bias[2]);
    uint8_t* target = out[channel];
    for (int i = 0; i < count; ++i) {
      const int32_t value = ((f0 * in0[i] + f1 * in1[i] + f2 * in2[i] + constant) >> 8) + add;
      target[i] = static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
    }
  }
}

EFFDET_INLINE void normalise(const uint8_t* in, int count, float mean, float min, float scale, float* out) {
  for (int i = 0; i < count; ++i) out[i] = (static_cast<float>(in[i]) - mean - min) * scale;
}

}  // namespace

void pixel_row(const PixelRow& row) {
  const uint8_t* planes[3];
  for (int c = 0; c < row.channels; ++c) planes[c] = samples_of(row, c, row.scratch + c * row.count);
  if (row.matrix != nullptr) {
    uint8_t* const converted[3] = {row.scratch + 3 * row.count, row.scratch + 4 * row.count,
                                   row.scratch + 5 * row.count};
    convert(*row.matrix, planes, row.count, converted);
    for (int c = 0; c < 3; ++c) planes[c] = converted[c];
  }
  for (int c = 0; c < row.channels; ++c)
    normalise(planes[c], row.count, row.mean[c], row.min[c], row.scale[c], row.out[c]);
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
