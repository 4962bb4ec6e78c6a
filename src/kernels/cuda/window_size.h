// A sliding window over a map, as kernels take it.
#pragma once

#include "kernels/cuda/block.h"

namespace effdet::kernels::cuda {

struct WindowSize {
  int height, width, out_height, out_width;
  int kernel_height, kernel_width, stride_y, stride_x, pad_top, pad_left;

  /// Input rows, or columns, under so many output rows.
  EFFDET_CUDA int input_rows(int rows) const { return (rows - 1) * stride_y + kernel_height; }
  EFFDET_CUDA int input_columns(int columns) const { return (columns - 1) * stride_x + kernel_width; }
  EFFDET_CUDA bool is_inside(int row, int column) const {
    return row >= 0 && row < height && column >= 0 && column < width;
  }
};

}  // namespace effdet::kernels::cuda
