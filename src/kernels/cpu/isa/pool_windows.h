// The windows of pools.
#pragma once

#include "kernels/cpu/isa/vec.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

/// Calls f(first value under the window, rows, columns, target) for each output pixel: rows and columns of the window
/// that lie inside.
template <typename T, typename F>
EFFDET_INLINE void for_windows(const PoolRows<T>& p, F&& f) {
  for (int y = p.row_begin; y < p.row_end; ++y) {
    const int top = y * p.stride_y - p.pad_top;
    const int ky_begin = max_of(0, -top), ky_end = min_of(p.kernel_height, p.in_height - top);
    for (int x = 0; x < p.out_width; ++x) {
      const int left = x * p.stride_x - p.pad_left;
      const int kx_begin = max_of(0, -left), kx_end = min_of(p.kernel_width, p.in_width - left);
      f(p.x + (static_cast<ptrdiff_t>(top + ky_begin) * p.in_width + left + kx_begin) * p.channels, ky_end - ky_begin,
        kx_end - kx_begin, p.y + (static_cast<ptrdiff_t>(y) * p.out_width + x) * p.channels);
    }
  }
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
