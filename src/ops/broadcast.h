// The loop behind every binary operator with numpy's broadcasting.
#pragma once

#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {

/// out = f(a, b), elements of type T in and R out. Precondition: out has the broadcast shape.
template <typename T, typename R, typename F>
void broadcast_binary(const Tensor& a, const Tensor& b, Tensor& out, F f) {
  const StridedLoop loop =
      merge_loop(out.shape(), broadcast_strides(a.shape(), out.shape()), broadcast_strides(b.shape(), out.shape()));
  const T *left = a.data<T>().data(), *right = b.data<T>().data();
  R* result = out.mutable_data<R>().data();
  const int64_t count = loop.shape.back(), step_a = loop.a.back(), step_b = loop.b.back();
  for_each_row(loop, [&](int64_t offset_a, int64_t offset_b, int64_t position) {
    const T *x = left + offset_a, *y = right + offset_b;
    R* z = result + position;
    if (step_a == 1 && step_b == 1) {
      for (int64_t i = 0; i < count; ++i) z[i] = f(x[i], y[i]);
    } else {
      for (int64_t i = 0; i < count; ++i) z[i] = f(x[i * step_a], y[i * step_b]);
    }
  });
}

}  // namespace effdet::ops
