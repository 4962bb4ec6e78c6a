// MatMul and Gemm: products of matrices and of batches of them.
#include "ops/matmul.h"

#include <algorithm>

#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// numpy.matmul's view: a vector on the left is a row, on the right a column, and that dimension is dropped afterwards.
struct MatMulShapes {
  Shape a, b, output;  ///< output still with the dimensions that are dropped
};

MatMulShapes matmul_shapes(const ir::Node& node, Shape a, Shape b) {
  if (a.empty() || b.empty()) node_error(node, "multiplies a scalar");
  if (a.size() == 1) a.insert(a.begin(), 1);
  if (b.size() == 1) b.push_back(1);
  const int64_t inner = a.back(), other = b[b.size() - 2];
  if (inner >= 0 && other >= 0 && inner != other)
    node_error(node, "shapes {} and {} do not multiply", shape_text(a), shape_text(b));
  const Shape batch_a(a.begin(), a.end() - 2), batch_b(b.begin(), b.end() - 2);
  Shape output = *broadcast(node, batch_a, batch_b);
  output.push_back(a[a.size() - 2]);
  output.push_back(b.back());
  return {a, b, output};
}

std::vector<Inferred> infer_matmul(const InferContext& c) {
  require_float(c);
  require_same_types(c, 2);
  if (!c.shape(0) || !c.shape(1)) return {{c.dtype(0), std::nullopt}};
  Shape output = matmul_shapes(c.node, *c.shape(0), *c.shape(1)).output;
  if (c.shape(1)->size() == 1) output.pop_back();
  if (c.shape(0)->size() == 1) output.erase(output.end() - (c.shape(1)->size() == 1 ? 1 : 2));
  return {{c.dtype(0), output}};
}

/// y (m x n) += scale * a (m x k) b (k x n), with any strides.
template <typename T>
void multiply(const T* a, int64_t a_row, int64_t a_column, const T* b, int64_t b_row, int64_t b_column, int64_t m,
              int64_t k, int64_t n, T scale, T* y) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t p = 0; p < k; ++p) {
      const T factor = scale * a[i * a_row + p * a_column];
      for (int64_t j = 0; j < n; ++j) y[i * n + j] += factor * b[p * b_row + j * b_column];
    }
}

void evaluate_matmul(const EvalContext& c) {
  if (c.output().numel() == 0) return;
  const MatMulView view = matmul_view(c.node, c.input(0).shape(), c.input(1).shape());
  const int64_t m = view.m, k = view.k, n = view.n;
  with_float_type(c.node, c.output().dtype(), [&](auto type) {
    using T = decltype(type);
    const T *a = c.input(0).data<T>().data(), *b = c.input(1).data<T>().data();
    T* y = c.output().mutable_data<T>().data();
    for_each_product(view, [&](int64_t in_a, int64_t in_b, int64_t in_y) {
      multiply(a + in_a * m * k, k, 1, b + in_b * k * n, n, 1, m, k, n, T(1), y + in_y * m * n);
    });
  });
}

std::vector<Inferred> infer_gemm(const InferContext& c) {
  require_float(c);
  require_same_types(c, 3);
  if (!c.shape(0) || !c.shape(1)) return {{c.dtype(0), std::nullopt}};
  Shape a = *c.shape(0), b = *c.shape(1);
  if (a.size() != 2 || b.size() != 2)
    node_error(c.node, "shapes {} and {} are no matrices", shape_text(a), shape_text(b));
  const auto gemm = GemmAttributes::of(c.node);
  if (gemm.transposed_a) std::swap(a[0], a[1]);
  if (gemm.transposed_b) std::swap(b[0], b[1]);
  if (a[1] >= 0 && b[0] >= 0 && a[1] != b[0])
    node_error(c.node, "shapes {} and {} do not multiply", shape_text(a), shape_text(b));
  const Shape output{a[0], b[1]};
  if (c.shape(2) && is_known(output) && broadcast(c.node, output, c.shape(2)) != output)
    node_error(c.node, "C of shape {} does not broadcast to {}", shape_text(*c.shape(2)), shape_text(output));
  return {{c.dtype(0), output}};
}

void evaluate_gemm(const EvalContext& c) {
  const auto gemm = GemmAttributes::of(c.node);
  const bool trans_a = gemm.transposed_a, trans_b = gemm.transposed_b;
  const Shape &a = c.input(0).shape(), &b = c.input(1).shape();
  const int64_t m = a[trans_a], k = a[!trans_a], n = b[!trans_b];
  if (c.has(2)) copy_strided(c.input(2), 0, {m, n}, broadcast_strides(c.input(2).shape(), {m, n}), c.output());
  with_float_type(c.node, c.output().dtype(), [&](auto type) {
    using T = decltype(type);
    const auto y = c.output().mutable_data<T>();
    for (T& value : y) value *= static_cast<T>(gemm.beta);
    multiply(c.input(0).data<T>().data(), trans_a ? 1 : k, trans_a ? m : 1, c.input(1).data<T>().data(),
             trans_b ? 1 : n, trans_b ? k : 1, m, k, n, static_cast<T>(gemm.alpha), y.data());
  });
}

}  // namespace

GemmAttributes GemmAttributes::of(const ir::Node& node) {
  return {.transposed_a = node.get_int("transA", 0) != 0,
          .transposed_b = node.get_int("transB", 0) != 0,
          .alpha = node.get_float("alpha", 1),
          .beta = node.get_float("beta", 1)};
}

MatMulView matmul_view(const ir::Node& node, const Shape& a, const Shape& b) {
  const MatMulShapes shapes = matmul_shapes(node, a, b);
  const auto batches = [](const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); };
  const Shape batch = batches(shapes.output);
  return {.m = shapes.a[shapes.a.size() - 2],
          .k = shapes.a.back(),
          .n = shapes.b.back(),
          .matrices = merge_loop(batch, broadcast_strides(batches(shapes.a), batch),
                                 broadcast_strides(batches(shapes.b), batch)),
          .matrices_b = dims_product(shapes.b, 0, shapes.b.size() - 2)};
}

namespace {

int64_t matmul_products(const CostContext& c) { return c.elements(c.outputs[0]) * c.inputs[0].back(); }

int64_t gemm_products(const CostContext& c) {
  return c.elements(c.outputs[0]) * c.inputs[0].at(GemmAttributes::of(c.node).transposed_a ? 0 : 1);
}

}  // namespace

std::span<const Operator> matmul_operators() {
  static constexpr Card kMatMul{.batch = Batch::kMixes, .heavy = true, .products = matmul_products};
  static constexpr Card kGemm{.batch = Batch::kMixes, .heavy = true, .products = gemm_products};
  static constexpr Operator kOperators[] = {
      {"", "MatMul", 2, 2, infer_matmul, evaluate_matmul, kMatMul},
      {"", "Gemm", 2, 3, infer_gemm, evaluate_gemm, kGemm, 7},
  };
  return kOperators;
}

}  // namespace effdet::ops
