// Moving elements by strides: what Transpose, Slice, Expand, Tile and broadcasting have in common.
#pragma once

#include "base/tensor.h"

namespace effdet::ops {

/// Strides of a dense row-major tensor, in elements.
std::vector<int64_t> dense_strides(const Shape& shape);
/// Strides that read a tensor of `shape` as if it had been broadcast to `target` (0 where a dimension repeats).
std::vector<int64_t> broadcast_strides(const Shape& shape, const Shape& target);

/// out[i0, i1, ...] = source[offset + i0 * strides[0] + ...] over the whole of `out` read as `shape`, for elements of
/// any type. Precondition: every source position lies in the source tensor.
void copy_strided(const Tensor& source, int64_t offset, const Shape& shape, const std::vector<int64_t>& strides,
                  Tensor& out);

/// The tensor broadcast to a shape that it fits.
Tensor expanded(const Tensor& tensor, const Shape& shape);

/// Loops over two operands: dimensions merged where both can be walked as one, so that inner loops are long.
struct StridedLoop {
  Shape shape;                ///< innermost last; at least one dimension
  std::vector<int64_t> a, b;  ///< strides in elements
};
StridedLoop merge_loop(const Shape& shape, const std::vector<int64_t>& a, const std::vector<int64_t>& b);

/// Calls row(offset_a, offset_b, position) for each row of the innermost dimension, in row-major order.
template <typename F>
void for_each_row(const StridedLoop& loop, F&& row) {
  for (int64_t dim : loop.shape)
    if (dim == 0) return;
  const size_t outer = loop.shape.size() - 1;
  std::vector<int64_t> index(outer, 0);
  int64_t a = 0, b = 0, position = 0;
  for (;;) {
    row(a, b, position);
    position += loop.shape[outer];
    size_t axis = outer;
    while (axis > 0) {
      --axis;
      a += loop.a[axis], b += loop.b[axis];
      if (++index[axis] < loop.shape[axis]) break;
      a -= loop.a[axis] * loop.shape[axis], b -= loop.b[axis] * loop.shape[axis];
      index[axis] = 0;
      if (axis == 0) return;
    }
    if (outer == 0) return;
  }
}

}  // namespace effdet::ops
