// Resizing of pictures in fixed point, a pass for each axis; the second one normalises what it makes.
#pragma once

#include "kernels/cuda/number.h"

namespace effdet::kernels::cuda {

/// A pass over interleaved RGB along one axis, or, with width and height, from it to float planes.
struct ResampleArgs {
  const uint8_t* in;        ///< [in rows][in columns][3]
  const int32_t* first;     ///< by output along the axis
  const int32_t* weights;   ///< [taps][outputs]
  void* out;                ///< bytes [rows][columns][3]; or floats [3][height][width]
  int in_columns, in_size;  ///< of a row, and along the axis
  int rows, columns;        ///< of what is resized
  int taps, outputs, weight_bits;
  int32_t goes_down;  ///< or else across
  int height, width;
  float mean[3], std[3], fill[3];

  /// A sample of the resized picture.
  EFFDET_CUDA uint8_t sample(int row, int column, int channel) const {
    const int output = goes_down != 0 ? row : column, from = first[output];
    const int64_t step = goes_down != 0 ? int64_t{3} * in_columns : 3;
    const uint8_t* x = in + channel + (goes_down != 0 ? int64_t{3} * column : int64_t{3} * in_columns * row);
    int32_t sum = 1 << (weight_bits - 1);
    for (int tap = 0; tap < taps && from + tap < in_size; ++tap)  // what lies past the end weighs nothing
      sum += x[(from + tap) * step] * weights[int64_t{tap} * outputs + output];
    const int32_t value = sum >> weight_bits;
    return static_cast<uint8_t>(value > 255 ? 255 : value);
  }
};

/// A thread for each sample.
struct Resample {
  using Args = ResampleArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    block.each([&](int thread) {
      const int64_t at = block.index() * block.threads() + thread;
      if (at >= int64_t{3} * a.rows * a.columns) return;
      const int64_t pixel = at / 3;
      static_cast<uint8_t*>(a.out)[at] =
          a.sample(static_cast<int>(pixel / a.columns), static_cast<int>(pixel % a.columns), static_cast<int>(at % 3));
    });
  }
};

/// A thread for each pixel of the input.
struct ResampleToPlanes {
  using Args = ResampleArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    block.each([&](int thread) {
      const int64_t at = block.index() * block.threads() + thread, plane = int64_t{a.height} * a.width;
      if (at >= plane) return;
      const int row = static_cast<int>(at / a.width), column = static_cast<int>(at % a.width);
      const bool is_picture = row < a.rows && column < a.columns;
      for (int channel = 0; channel < 3; ++channel)
        static_cast<float*>(a.out)[channel * plane + at] =
            is_picture ? (static_cast<float>(a.sample(row, column, channel)) - a.mean[channel]) / a.std[channel]
                       : a.fill[channel];
    });
  }
};

}  // namespace effdet::kernels::cuda
