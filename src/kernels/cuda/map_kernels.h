// Sums, pools and conversions of maps: a thread for each pack of neighbouring channels.
#pragma once

#include "kernels/cuda/number.h"
#include "kernels/cuda/window_size.h"

namespace effdet::kernels::cuda {

struct MixArgs {
  static constexpr int kMost = 4;
  const void* x[kMost];  ///< of T: [images][height][width][channels]
  float weights[kMost];
  int heights[kMost], widths[kMost];
  void* y;  ///< of T: [images][height][width][channels]
  int64_t packs;
  int count, height, width, channels;
  Activation activation;
};

/// y = act(sum of weight * nearest(x)).
template <typename T, int kPack>
struct Mix {
  using Args = MixArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    block.each([&](int thread) {
      const int64_t at = block.index() * block.threads() + thread;
      if (at >= a.packs) return;
      const int packs = a.channels / kPack, channel = static_cast<int>(at % packs) * kPack;
      const int64_t pixel = at / packs, image = pixel / a.width / a.height;
      const int64_t column = pixel % a.width, row = pixel / a.width % a.height;
      Pack<float, kPack> sums{};
      for (int i = 0; i < a.count; ++i) {
        const int64_t from_row = row * a.heights[i] / a.height, from_column = column * a.widths[i] / a.width;
        const int64_t from = ((image * a.heights[i] + from_row) * a.widths[i] + from_column) * a.channels + channel;
        const auto values = load<kPack>(static_cast<const T*>(a.x[i]) + from);
        for (int k = 0; k < kPack; ++k) sums.values[k] += a.weights[i] * to_float(values.values[k]);
      }
      Pack<T, kPack> result;
      for (int k = 0; k < kPack; ++k) result.values[k] = from_float<T>(activated(a.activation, sums.values[k]));
      store<kPack>(static_cast<T*>(a.y) + at * kPack, result);
    });
  }
};

struct PoolArgs {
  const void* x;  ///< of T: [images][height][width][channels]
  void* y;
  WindowSize window;
  int64_t packs;  ///< of y
  int channels;
  bool is_mean;          ///< or else the largest value
  bool counts_padding;   ///< of a mean: over all places of the window
  bool padding_is_zero;  ///< of a maximum: it takes part
};

/// The mean or the largest of what lies under each window.
template <typename T, int kPack>
struct Pool {
  using Args = PoolArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const WindowSize& w = a.window;
    block.each([&](int thread) {
      const int64_t at = block.index() * block.threads() + thread;
      if (at >= a.packs) return;
      const int packs = a.channels / kPack, channel = static_cast<int>(at % packs) * kPack;
      const int64_t pixel = at / packs, image = pixel / w.out_width / w.out_height;
      const int column = static_cast<int>(pixel % w.out_width) * w.stride_x - w.pad_left;
      const int row = static_cast<int>(pixel / w.out_width % w.out_height) * w.stride_y - w.pad_top;
      Pack<float, kPack> result;
      for (int k = 0; k < kPack; ++k) result.values[k] = a.is_mean ? 0.0f : -INFINITY;
      int inside = 0;
      for (int tap = 0; tap < w.kernel_height * w.kernel_width; ++tap) {
        const int from_row = row + tap / w.kernel_width, from_column = column + tap % w.kernel_width;
        if (!w.is_inside(from_row, from_column)) continue;
        ++inside;
        const int64_t from = ((image * w.height + from_row) * w.width + from_column) * a.channels + channel;
        add(a, load<kPack>(static_cast<const T*>(a.x) + from), result);
      }
      if (a.is_mean) {
        const int count = a.counts_padding ? w.kernel_height * w.kernel_width : inside;
        for (int k = 0; k < kPack; ++k) result.values[k] /= static_cast<float>(count);
      } else if (a.padding_is_zero && inside < w.kernel_height * w.kernel_width) {
        for (int k = 0; k < kPack; ++k)
          if (result.values[k] < 0) result.values[k] = 0;
      }
      Pack<T, kPack> y;
      for (int k = 0; k < kPack; ++k) y.values[k] = from_float<T>(result.values[k]);
      store<kPack>(static_cast<T*>(a.y) + at * kPack, y);
    });
  }

 private:
  static EFFDET_CUDA void add(const Args& a, const Pack<T, kPack>& values, Pack<float, kPack>& result) {
    for (int k = 0; k < kPack; ++k) {
      const float value = to_float(values.values[k]);
      float& y = result.values[k];
      if (a.is_mean) {
        y += value;
      } else if (value > y || value != value) {  // NaN stays: nothing is above it
        y = value;
      }
    }
  }
};

struct ConvertArgs {
  const void* x;
  void* y;
  int64_t values;
};

/// From one type of float to another. A thread for each value.
template <typename TIn, typename TOut>
struct Convert {
  using Args = ConvertArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    block.each([&](int thread) {
      const int64_t at = block.index() * block.threads() + thread;
      if (at < a.values) static_cast<TOut*>(a.y)[at] = from_float<TOut>(to_float(static_cast<const TIn*>(a.x)[at]));
    });
  }
};

}  // namespace effdet::kernels::cuda
