// Depthwise convolution of an NHWC map: a tile of the map in shared memory, where the activation of the layer before it
// is applied once, and the sums of what it makes for the mean.
#pragma once

#include "kernels/cuda/number.h"
#include "kernels/cuda/window_size.h"

namespace effdet::kernels::cuda {

struct DepthwiseArgs {
  const void* x;         ///< [images][height][width][channels] of T
  const float* weights;  ///< [kernel height][kernel width][channels]
  const float* bias;     ///< [channels]
  void* y;               ///< [images][out height][out width][channels] of T
  float* sums;           ///< of activated values: [images][tile groups][channels]; null where nobody wants the mean
  WindowSize window;
  int channels;
  int block_channels;  ///< that a block computes: a power of two of packs, at most as many as threads
  int tile_height, tile_width, tiles_x, tiles;  ///< output pixels of a tile; tiles of a row of them, and of an image
  int groups;                                   ///< of tiles, which a block goes through one after the other
  Activation before, after;                     ///< of what is read, and of what is written
};

/// Blocks: channel blocks within groups of tiles within images.
template <typename T, int kPack>
struct Depthwise {
  using Args = DepthwiseArgs;
  static constexpr int kStrip =
      4;  ///< neighbouring pixels that a thread computes, which share the weights that it reads

  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const int channel_blocks = (a.channels + a.block_channels - 1) / a.block_channels;
    const int first = static_cast<int>(block.index() % channel_blocks) * a.block_channels;
    const int64_t rest = block.index() / channel_blocks, image = rest / a.groups;
    const int group = static_cast<int>(rest % a.groups);
    typename Block::template Local<Pack<float, kPack>> sums(block);
    block.each([&](int thread) {
      for (int i = 0; i < kPack; ++i) sums[thread].values[i] = 0;
    });
    for (int tile = group; tile < a.tiles; tile += a.groups) {
      const int row = tile / a.tiles_x * a.tile_height, column = tile % a.tiles_x * a.tile_width;
      block.each([&](int thread) { load_tile(block, a, image, row, column, first, thread); });
      block.each([&](int thread) { convolve(block, a, image, row, column, first, thread, sums[thread]); });
    }
    if (a.sums == nullptr) return;
    float* all = block.template shared<float>();
    block.each([&](int thread) { store<kPack>(all + thread * kPack, sums[thread]); });
    block.each([&](int thread) {
      if (thread >= a.block_channels || first + thread >= a.channels) return;
      float sum = 0;
      for (int i = thread; i < block.threads() * kPack; i += a.block_channels) sum += all[i];
      a.sums[(image * a.groups + group) * a.channels + first + thread] = sum;
    });
  }

 private:
  template <typename Block>
  static EFFDET_CUDA void load_tile(Block& block, const Args& a, int64_t image, int row, int column, int first,
                                    int thread) {
    const WindowSize& w = a.window;
    const int packs = a.block_channels / kPack, columns = w.input_columns(a.tile_width);
    const int top = row * w.stride_y - w.pad_top, left = column * w.stride_x - w.pad_left;
    const T* x = static_cast<const T*>(a.x) + image * w.height * w.width * a.channels;
    T* tile = block.template shared<T>();
    for (int i = thread; i < w.input_rows(a.tile_height) * columns * packs; i += block.threads()) {
      const int channel = first + i % packs * kPack, pixel = i / packs;
      const int from_row = top + pixel / columns, from_column = left + pixel % columns;
      Pack<T, kPack> values;
      if (w.is_inside(from_row, from_column) && channel < a.channels) {
        values = load<kPack>(x + (int64_t{from_row} * w.width + from_column) * a.channels + channel);
        if (a.before != Activation::kNone)
          for (int k = 0; k < kPack; ++k)
            values.values[k] = from_float<T>(activated(a.before, to_float(values.values[k])));
      } else {
        for (int k = 0; k < kPack; ++k) values.values[k] = from_float<T>(0);
      }
      store<kPack>(tile + int64_t{i} * kPack, values);
    }
  }

  template <typename Block>
  static EFFDET_CUDA void convolve(Block& block, const Args& a, int64_t image, int row, int column, int first,
                                   int thread, Pack<float, kPack>& sums) {
    const WindowSize& w = a.window;
    const int packs = a.block_channels / kPack, columns = w.input_columns(a.tile_width);
    const int channel = first + thread % packs * kPack;  // the same for all that a thread computes
    if (channel >= a.channels) return;
    const T* tile = block.template shared<T>() + thread % packs * kPack;
    const int strips = (a.tile_width + kStrip - 1) / kStrip;
    for (int i = thread; i < a.tile_height * strips * packs; i += block.threads()) {
      const int strip = i / packs, out_row = strip / strips, out_column = strip % strips * kStrip;
      if (row + out_row >= w.out_height || column + out_column >= w.out_width) continue;
      const int in_tile = a.tile_width - out_column, in_map = w.out_width - column - out_column;
      const int count = in_tile < in_map ? in_tile : in_map;  // of the strip, where it is below kStrip
      Pack<float, kPack> acc[kStrip];
      for (int s = 0; s < kStrip; ++s) acc[s] = load<kPack>(a.bias + channel);
      for (int tap_row = 0; tap_row < w.kernel_height; ++tap_row)
        for (int tap_column = 0; tap_column < w.kernel_width; ++tap_column) {
          const auto weights = load<kPack>(a.weights + (tap_row * w.kernel_width + tap_column) * a.channels + channel);
          const int pixel = (out_row * w.stride_y + tap_row) * columns + out_column * w.stride_x + tap_column;
          for (int s = 0; s < kStrip; ++s) {
            if (s >= count) break;
            const auto values = load<kPack>(tile + int64_t{pixel + s * w.stride_x} * a.block_channels);
            for (int k = 0; k < kPack; ++k) acc[s].values[k] += to_float(values.values[k]) * weights.values[k];
          }
        }
      T* y = static_cast<T*>(a.y) + channel +
             ((image * w.out_height + row + out_row) * w.out_width + column + out_column) * a.channels;
      for (int s = 0; s < kStrip; ++s)
        if (s < count) finish(a, acc[s], y + int64_t{s} * a.channels, sums);
    }
  }

  /// Activates the sums of a pixel, adds them up and writes them.
  static EFFDET_CUDA void finish(const Args& a, const Pack<float, kPack>& acc, T* y, Pack<float, kPack>& sums) {
    Pack<T, kPack> result;
    for (int k = 0; k < kPack; ++k) {
      const float value = activated(a.after, acc.values[k]);
      sums.values[k] += value;
      result.values[k] = from_float<T>(value);
    }
    store<kPack>(y, result);
  }
};

struct MeansArgs {
  const float* sums;  ///< [images][parts][channels]
  float* means;       ///< [images][channels]
  int parts, channels;
  float pixels;
};

/// The parts' sums in a fixed order, so that means do not depend on who computes them. Blocks: kChannels channels of an
/// image.
struct Means {
  using Args = MeansArgs;
  static constexpr int kChannels = 32, kLanes = 8, kThreads = kChannels * kLanes;
  static constexpr int64_t kSharedBytes = kThreads * sizeof(float);

  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const int channel_blocks = (a.channels + kChannels - 1) / kChannels;
    const int64_t image = block.index() / channel_blocks;
    const int first = static_cast<int>(block.index() % channel_blocks) * kChannels;
    float* all = block.template shared<float>();
    block.each([&](int thread) {
      const int channel = first + thread % kChannels;
      if (channel >= a.channels) return;
      const float* sums = a.sums + image * a.parts * a.channels + channel;
      float sum = 0;
      for (int part = thread / kChannels; part < a.parts; part += kLanes) sum += sums[int64_t{part} * a.channels];
      all[thread] = sum;
    });
    block.each([&](int thread) {
      if (thread >= kChannels || first + thread >= a.channels) return;
      float total = 0;
      for (int lane = 0; lane < kLanes; ++lane) total += all[lane * kChannels + thread];
      a.means[image * a.channels + first + thread] = total / a.pixels;
    });
  }
};

}  // namespace effdet::kernels::cuda
