// The sums before and after the products of Winograd's convolution (cpu/winograd.cc): each value once, in vectors of
// channels.
#include "kernels/cpu/isa/kernels.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

constexpr int kSide = kWinogradSide, kOut = kWinogradOut;

/// y = B^T x for a column or row of a tile.
EFFDET_INLINE void transform_input(const Vec (&x)[kSide], Vec (&y)[kSide]) {
  y[0] = x[0] - x[2];
  y[1] = x[1] + x[2];
  y[2] = x[2] - x[1];
  y[3] = x[1] - x[3];
}

/// y = A^T x.
EFFDET_INLINE void transform_output(const Vec (&x)[kSide], Vec (&y)[kOut]) {
  y[0] = x[0] + x[1] + x[2];
  y[1] = x[1] - x[2] - x[3];
}

/// One tile whose corner is (top, left) in the image; pixels outside are zeros unless all lie inside.
template <bool inside>
EFFDET_INLINE void input_tile(const WinogradInput& w, int top, int left, float* target) {
  const ptrdiff_t line = static_cast<ptrdiff_t>(w.width) * w.channels;
  const float* x = w.x + top * line + static_cast<ptrdiff_t>(left) * w.channels;
  for (int channel = 0; channel < w.channels; channel += kLanes) {
    const int lanes = min_of(kLanes, w.channels - channel);
    Vec columns[kSide][kSide];  // [column][row]
#pragma GCC unroll 4
    for (int j = 0; j < kSide; ++j) {
      Vec in[kSide];
#pragma GCC unroll 4
      for (int i = 0; i < kSide; ++i) {
        const bool exists = inside || (top + i >= 0 && top + i < w.height && left + j >= 0 && left + j < w.width);
        const float* p = x + i * line + j * static_cast<ptrdiff_t>(w.channels) + channel;
        in[i] = !exists ? Vec{} : lanes == kLanes ? load(p) : load_part(p, lanes);
      }
      transform_input(in, columns[j]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kSide; ++i) {
      const Vec row[kSide] = {columns[0][i], columns[1][i], columns[2][i], columns[3][i]};
      Vec out[kSide];
      transform_input(row, out);
#pragma GCC unroll 4
      for (int j = 0; j < kSide; ++j) {
        float* p = target + (i * kSide + j) * w.plane + channel;
        lanes == kLanes ? store(p, out[j]) : store_part(p, out[j], lanes);
      }
    }
  }
}

/// Finishes and stores one vector of the four outputs of a tile, of which `rows` x `columns` exist.
EFFDET_INLINE void store_outputs(const WinogradOutput& w, const Vec (&y)[kOut][kOut], ptrdiff_t at, int rows,
                                 int columns, int channel, int lanes) {
  const ptrdiff_t line = static_cast<ptrdiff_t>(w.width) * w.pixel;
  const auto get = [&](const float* p) { return lanes == kLanes ? load(p) : load_part(p, lanes); };
  const Vec bias = load(w.bias + channel);  // whole panels
  with_activation(
      w.activation, [&](auto activation) __attribute__((always_inline)) {
        for (int i = 0; i < rows; ++i)
          for (int j = 0; j < columns; ++j) {
            const ptrdiff_t to = at + i * line + j * w.pixel + channel;
            Vec value = y[i][j] + bias;
            if (w.residual != nullptr) value += get(w.residual + to);
            value = apply<float>(decltype(activation)::value, value);
            lanes == kLanes ? store(w.y + to, value) : store_part(w.y + to, value, lanes);
          }
      });
}

}  // namespace

void winograd_input(const WinogradInput& w) {
  for (int tile = 0; tile < w.tiles.count; ++tile) {
    const int index = w.tiles.first + tile;
    const int top = index / w.tiles.across * kOut - w.pad_top, left = index % w.tiles.across * kOut - w.pad_left;
    float* target = w.v + tile * static_cast<ptrdiff_t>(w.channels);
    if (top >= 0 && left >= 0 && top + kSide <= w.height && left + kSide <= w.width) {
      input_tile<true>(w, top, left, target);
    } else {
      input_tile<false>(w, top, left, target);
    }
  }
}

void winograd_output(const WinogradOutput& w) {
  for (int tile = 0; tile < w.tiles.count; ++tile) {
    const int index = w.tiles.first + tile;
    const int top = index / w.tiles.across * kOut, left = index % w.tiles.across * kOut;
    const ptrdiff_t at = (static_cast<ptrdiff_t>(top) * w.width + left) * w.pixel;
    const float* source = w.m + tile * static_cast<ptrdiff_t>(w.channels);
    for (int channel = 0; channel < w.channels; channel += kLanes) {
      const int lanes = min_of(kLanes, w.channels - channel);
      Vec columns[kSide][kOut];
#pragma GCC unroll 4
      for (int j = 0; j < kSide; ++j) {
        Vec in[kSide];
#pragma GCC unroll 4
        for (int i = 0; i < kSide; ++i) {
          const float* p = source + (i * kSide + j) * w.plane + channel;
          in[i] = lanes == kLanes ? load(p) : load_part(p, lanes);
        }
        transform_output(in, columns[j]);
      }
      Vec y[kOut][kOut];
#pragma GCC unroll 2
      for (int i = 0; i < kOut; ++i) {
        const Vec row[kSide] = {columns[0][i], columns[1][i], columns[2][i], columns[3][i]};
        transform_output(row, y[i]);
      }
      store_outputs(w, y, at, min_of(kOut, w.height - top), min_of(kOut, w.width - left), channel, lanes);
    }
  }
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
