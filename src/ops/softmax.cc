#include <algorithm>
#include <cmath>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// Before opset 13 the input is flattened to two dimensions at `axis` (default 1); since then one axis (default -1)
/// counts.
struct SoftmaxLayout {
  int64_t outer, count, inner;
};

SoftmaxLayout layout_of(const ir::Node& node, int64_t opset, const Shape& shape) {
  const auto rank = static_cast<int64_t>(shape.size());
  const auto axis = static_cast<size_t>(normalize_axis(node, node.get_int("axis", opset >= 13 ? -1 : 1), rank));
  const int64_t outer = dims_product(shape, 0, axis);
  if (opset < 13) return {outer, dims_product(shape, axis, shape.size()), 1};
  return {outer, shape[axis], dims_product(shape, axis + 1, shape.size())};
}

std::vector<Inferred> infer_softmax(const InferContext& c) {
  if (c.shape(0))
    normalize_axis(c.node, c.node.get_int("axis", c.opset >= 13 ? -1 : 1), static_cast<int64_t>(c.shape(0)->size()));
  return infer_like_float(c);
}

template <typename T>
void softmax_line(const T* x, T* y, int64_t count, int64_t stride) {
  T largest = x[0];
  for (int64_t i = 1; i < count; ++i) largest = std::max(largest, x[i * stride]);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += std::exp(static_cast<double>(x[i * stride] - largest));
  for (int64_t i = 0; i < count; ++i)
    y[i * stride] = static_cast<T>(std::exp(static_cast<double>(x[i * stride] - largest)) / sum);
}

void evaluate_softmax(const EvalContext& c) {
  if (c.output().numel() == 0) return;
  const SoftmaxLayout layout = layout_of(c.node, c.opset, c.input(0).shape());
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    const T* x = c.input(0).data<T>().data();
    T* y = c.output().mutable_data<T>().data();
    for (int64_t o = 0; o < layout.outer; ++o)
      for (int64_t i = 0; i < layout.inner; ++i) {
        const int64_t offset = o * layout.count * layout.inner + i;
        softmax_line(x + offset, y + offset, layout.count, layout.inner);
      }
  });
}

const Operator kOperators[] = {{"", "Softmax", 1, 1, infer_softmax, evaluate_softmax}};

}  // namespace

std::span<const Operator> softmax_operators() { return kOperators; }

}  // namespace effdet::ops
