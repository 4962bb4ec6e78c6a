// What depthwise kernels tell the micro-kernel alike.
#pragma once

#include "kernels/cpu/micro_kernels.h"
#include "ops/fused/window.h"

namespace effdet::kernels::cpu {

/// The fields that window, input and activation fix; the caller adds pointers, strides of the output and the rectangle.
template <typename In, typename Out = In>
DepthwiseRows<In, Out> depthwise_rows(const ops::Window2d& window, const ops::Dims& in, Activation activation) {
  DepthwiseRows<In, Out> rows{};
  rows.in_height = static_cast<int>(in.height);
  rows.in_width = static_cast<int>(in.width);
  rows.kernel_height = window.kernel_height;
  rows.kernel_width = window.kernel_width;
  rows.stride_y = window.stride_y;
  rows.stride_x = window.stride_x;
  rows.pad_top = window.pad_top;
  rows.pad_left = window.pad_left;
  rows.activation = activation;
  return rows;
}

/// Output rows [row, row_end), columns [column, column_end).
template <typename In, typename Out>
void set_rectangle(DepthwiseRows<In, Out>& rows, int64_t row, int64_t row_end, int64_t column, int64_t column_end) {
  rows.row_begin = static_cast<int>(row);
  rows.row_end = static_cast<int>(row_end);
  rows.column_begin = static_cast<int>(column);
  rows.column_end = static_cast<int>(column_end);
}

}  // namespace effdet::kernels::cpu
