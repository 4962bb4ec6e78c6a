// What MatMul and Gemm multiply, for kernels and rewrites that do it otherwise.
#pragma once

#include "ops/op.h"
#include "ops/strided.h"

namespace effdet::ops {

/// y[i] (m x n) = a[i] (m x k) b[i] (k x n), matrices that lie one after the other in their tensors.
struct MatMulView {
  int64_t m, k, n;
  StridedLoop matrices;  ///< over those of the output; strides in matrices
  int64_t matrices_b;    ///< how many the second tensor has
};
MatMulView matmul_view(const ir::Node& node, const Shape& a, const Shape& b);

/// Gemm: y = alpha A B + beta C, where A or B may be given transposed.
struct GemmAttributes {
  bool transposed_a = false, transposed_b = false;
  float alpha = 1, beta = 1;

  static GemmAttributes of(const ir::Node& node);
};

/// Calls f(matrix of a, matrix of b, matrix of the output) for each product.
template <typename F>
void for_each_product(const MatMulView& view, F&& f) {
  const StridedLoop& loop = view.matrices;
  for_each_row(loop, [&](int64_t a, int64_t b, int64_t y) {
    for (int64_t i = 0; i < loop.shape.back(); ++i) f(a + i * loop.a.back(), b + i * loop.b.back(), y + i);
  });
}

}  // namespace effdet::ops
