// Transpose: axes in another order.
#include <numeric>

#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/strided_view.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// The permutation; reversed axes where the attribute is absent.
std::vector<int64_t> permutation(const ir::Node& node, size_t rank) {
  std::vector<int64_t> reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  std::vector<int64_t> perm = node.get_ints("perm", reversed);
  if (perm.size() != rank) node_error(node, "perm has {} axes for {} dimensions", perm.size(), rank);
  for (int64_t& axis : perm) axis = normalize_axis(node, axis, static_cast<int64_t>(rank));
  normalize_axes(node, perm, static_cast<int64_t>(rank));
  return perm;
}

std::vector<Inferred> infer_transpose(const InferContext& c) {
  if (!c.shape(0)) return {{c.dtype(0), std::nullopt}};
  Shape result;
  for (int64_t axis : permutation(c.node, c.shape(0)->size())) result.push_back((*c.shape(0))[axis]);
  return {{c.dtype(0), result}};
}

void evaluate_transpose(const EvalContext& c) {
  copy_strided(c.input(0), 0, c.output().shape(), transpose_view(c.node, c.input(0).shape()).strides, c.output());
}

}  // namespace

StridedView transpose_view(const ir::Node& node, const Shape& x) {
  const std::vector<int64_t> dense = dense_strides(x);
  StridedView view;
  for (int64_t axis : permutation(node, x.size())) {
    view.shape.push_back(x[axis]);
    view.strides.push_back(dense[axis]);
  }
  return view;
}

namespace {

bool leaves_first_dimension(const ir::Node& node) {
  const auto order = node.get_ints("perm", {});
  return !order.empty() && order[0] == 0;
}

}  // namespace

std::span<const Operator> transpose_operators() {
  static constexpr Card kTranspose{
      .batch = Batch::kByImage, .keeps_batch = leaves_first_dimension, .layout = LayoutRule::kDeclared};
  static constexpr Operator kOperators[] = {
      {"", "Transpose", 1, 1, infer_transpose, evaluate_transpose, kTranspose},
  };
  return kOperators;
}

}  // namespace effdet::ops
