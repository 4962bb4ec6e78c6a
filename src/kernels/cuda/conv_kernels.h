// Dense convolutions beside the matrix product: a direct one for few values under a window or many groups, windows
// gathered for the product, gates that go into its weights, and what follows its sums.
#pragma once

#include "kernels/cuda/number.h"
#include "kernels/cuda/window_size.h"

namespace effdet::kernels::cuda {

/// Where the values of a map lie: NCHW or NHWC.
struct MapStrides {
  int64_t image, row, column, channel;
};

struct DirectConvArgs {
  const void* x;         ///< of TIn, as x_strides say
  const float* weights;  ///< [panels][taps * group channels][kPanel]
  const float* bias;     ///< [panels * kPanel]
  const void* residual;  ///< as y; null: none
  void* y;               ///< of TOut, as y_strides say
  WindowSize window;
  MapStrides x_strides, y_strides;
  int64_t pixels;                ///< output pixels of all images
  int channels, group_channels;  ///< output channels; input channels that each of them reads
  int group_panels;              ///< panels of a group
  Activation activation;
};

/// A thread computes a panel of channels of one pixel; the panel's weights pass through shared memory. Blocks: pixels
/// within panels.
template <typename TIn, typename TOut>
struct DirectConv {
  using Args = DirectConvArgs;
  static constexpr int kPanel = 16, kThreads = 128;
  static constexpr int kRows = 32;  ///< rows of weights that are in shared memory at a time
  static constexpr int64_t kSharedBytes = kRows * kPanel * sizeof(float);

  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const WindowSize& w = a.window;
    const int64_t pixel_blocks = (a.pixels + kThreads - 1) / kThreads;
    const int64_t first = block.index() % pixel_blocks * kThreads;
    const int panel = static_cast<int>(block.index() / pixel_blocks);
    const int first_channel = panel / a.group_panels * a.group_channels;
    const int depth = w.kernel_height * w.kernel_width * a.group_channels;
    const float* weights = a.weights + int64_t{panel} * depth * kPanel;
    float* rows = block.template shared<float>();
    typename Block::template Local<Pack<float, kPanel>> sums(block);
    block.each([&](int thread) { sums[thread] = load<kPanel>(a.bias + panel * kPanel); });
    for (int row = 0; row < depth; row += kRows) {
      const int count = depth - row < kRows ? depth - row : kRows;
      block.each([&](int thread) {
        for (int i = thread; i < count * kPanel; i += kThreads) rows[i] = weights[row * kPanel + i];
      });
      block.each([&](int thread) {
        if (first + thread < a.pixels) add_rows(a, first + thread, first_channel, row, count, rows, sums[thread]);
      });
    }
    block.each([&](int thread) {
      if (first + thread < a.pixels) write(a, first + thread, panel, sums[thread]);
    });
  }

 private:
  static EFFDET_CUDA void add_rows(const Args& a, int64_t pixel, int first_channel, int row, int count,
                                   const float* weights, Pack<float, kPanel>& sums) {
    const WindowSize& w = a.window;
    const int column = static_cast<int>(pixel % w.out_width),
              line = static_cast<int>(pixel / w.out_width % w.out_height);
    const TIn* x = static_cast<const TIn*>(a.x) + pixel / w.out_width / w.out_height * a.x_strides.image +
                   first_channel * a.x_strides.channel;
    Pack<float, kPanel> part{};  // sums of parts round less than one long sum
    const int tap = row / a.group_channels;
    int channel = row % a.group_channels, tap_row = tap / w.kernel_width, tap_column = tap % w.kernel_width;
    for (int i = 0; i < count; ++i) {
      const int from_row = line * w.stride_y - w.pad_top + tap_row;
      const int from_column = column * w.stride_x - w.pad_left + tap_column;
      if (w.is_inside(from_row, from_column)) {
        const float value =
            to_float(x[from_row * a.x_strides.row + from_column * a.x_strides.column + channel * a.x_strides.channel]);
        for (int k = 0; k < kPanel; ++k) part.values[k] += value * weights[i * kPanel + k];
      }
      if (++channel < a.group_channels) continue;
      channel = 0;
      if (++tap_column < w.kernel_width) continue;
      tap_column = 0;
      ++tap_row;
    }
    for (int k = 0; k < kPanel; ++k) sums.values[k] += part.values[k];
  }

  static EFFDET_CUDA void write(const Args& a, int64_t pixel, int panel, const Pack<float, kPanel>& sums) {
    const WindowSize& w = a.window;
    const int64_t at = pixel / w.out_width / w.out_height * a.y_strides.image +
                       pixel / w.out_width % w.out_height * a.y_strides.row + pixel % w.out_width * a.y_strides.column;
    const TOut* residual = static_cast<const TOut*>(a.residual);
    for (int k = 0; k < kPanel; ++k) {
      if (panel * kPanel + k >= a.channels) return;
      const int64_t place = at + (panel * kPanel + k) * a.y_strides.channel;
      const float sum = sums.values[k] + (residual != nullptr ? to_float(residual[place]) : 0);
      static_cast<TOut*>(a.y)[place] = from_float<TOut>(activated(a.activation, sum));
    }
  }
};

struct GatherArgs {
  const void* x;  ///< of T, as x_strides say
  void* y;        ///< of T: [output pixels][taps * channels]
  WindowSize window;
  MapStrides x_strides;
  int64_t values;  ///< of y
  int channels;
};

/// What lies under each window, as a row of a matrix. A thread for each value.
template <typename T>
struct GatherWindows {
  using Args = GatherArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const WindowSize& w = a.window;
    block.each([&](int thread) {
      const int64_t at = block.index() * block.threads() + thread;
      if (at >= a.values) return;
      const int depth = w.kernel_height * w.kernel_width * a.channels;
      const int64_t pixel = at / depth;
      const int tap = static_cast<int>(at % depth) / a.channels, channel = static_cast<int>(at % depth) % a.channels;
      const int row =
          static_cast<int>(pixel / w.out_width % w.out_height) * w.stride_y - w.pad_top + tap / w.kernel_width;
      const int column = static_cast<int>(pixel % w.out_width) * w.stride_x - w.pad_left + tap % w.kernel_width;
      const T* x = static_cast<const T*>(a.x) + pixel / w.out_width / w.out_height * a.x_strides.image;
      static_cast<T*>(a.y)[at] =
          w.is_inside(row, column)
              ? x[row * a.x_strides.row + column * a.x_strides.column + channel * a.x_strides.channel]
              : from_float<T>(0);
    });
  }
};

struct GateWeightsArgs {
  const void* weights;  ///< of T: [depth][columns]
  const float* gate;    ///< [images][gates]: they take turns over the depth
  void* gated;          ///< of T: [images][depth][columns]
  int64_t values;       ///< of `gated`
  int64_t matrix;       ///< depth * columns
  int columns, depth, gates;
};

/// x * gate by weights is x by gate * weights, which are fewer. A thread for each value.
template <typename T>
struct GateWeights {
  using Args = GateWeightsArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    block.each([&](int thread) {
      const int64_t at = block.index() * block.threads() + thread;
      if (at >= a.values) return;
      const int64_t row = at / a.columns;  // of all images
      const float gate = a.gate[row / a.depth * a.gates + row % a.depth % a.gates];
      static_cast<T*>(a.gated)[at] = from_float<T>(gate * to_float(static_cast<const T*>(a.weights)[at % a.matrix]));
    });
  }
};

struct FinishArgs {
  const void* x;      ///< of T
  void* y;            ///< of T; may be x
  const float* bias;  ///< of each row of `row` values, in turn; null: none
  int64_t values, row;
  int biases;
  Activation activation;
};

/// y = act(x + bias). A thread for each pack.
template <typename T, int kPack>
struct Finish {
  using Args = FinishArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    block.each([&](int thread) {
      const int64_t at = (block.index() * block.threads() + thread) * kPack;
      if (at >= a.values) return;
      const float bias = a.bias != nullptr ? a.bias[at / a.row % a.biases] : 0;
      auto values = load<kPack>(static_cast<const T*>(a.x) + at);
      for (int k = 0; k < kPack; ++k)
        values.values[k] = from_float<T>(activated(a.activation, to_float(values.values[k]) + bias));
      store<kPack>(static_cast<T*>(a.y) + at, values);
    });
  }
};

}  // namespace effdet::kernels::cuda
