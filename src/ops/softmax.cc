// Softmax, LogSoftmax and Hardmax.
#include "ops/softmax.h"

#include <algorithm>
#include <cmath>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

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

template <typename T>
void log_softmax_line(const T* x, T* y, int64_t count, int64_t stride) {
  T largest = x[0];
  for (int64_t i = 1; i < count; ++i) largest = std::max(largest, x[i * stride]);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += std::exp(static_cast<double>(x[i * stride] - largest));
  const double shift = std::log(sum);
  for (int64_t i = 0; i < count; ++i)
    y[i * stride] = static_cast<T>(static_cast<double>(x[i * stride] - largest) - shift);
}

/// 1 at the first of the largest elements, 0 elsewhere.
template <typename T>
void hardmax_line(const T* x, T* y, int64_t count, int64_t stride) {
  int64_t best = 0;
  for (int64_t i = 1; i < count; ++i)
    if (x[i * stride] > x[best * stride]) best = i;
  for (int64_t i = 0; i < count; ++i) y[i * stride] = T(i == best);
}

/// Calls line(x, y, count, stride) for each line along the axis.
template <typename F>
void for_each_line(const EvalContext& c, F line) {
  if (c.output().numel() == 0) return;
  const AxisView layout = softmax_view(c.node, c.opset, c.input(0).shape());
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    const T* x = c.input(0).data<T>().data();
    T* y = c.output().mutable_data<T>().data();
    for (int64_t o = 0; o < layout.outer; ++o)
      for (int64_t i = 0; i < layout.inner; ++i) {
        const int64_t offset = o * layout.count * layout.inner + i;
        line(x + offset, y + offset, layout.count, layout.inner);
      }
  });
}

void evaluate_softmax(const EvalContext& c) {
  for_each_line(c, [](auto* x, auto* y, int64_t count, int64_t stride) { softmax_line(x, y, count, stride); });
}

void evaluate_log_softmax(const EvalContext& c) {
  for_each_line(c, [](auto* x, auto* y, int64_t count, int64_t stride) { log_softmax_line(x, y, count, stride); });
}

void evaluate_hardmax(const EvalContext& c) {
  for_each_line(c, [](auto* x, auto* y, int64_t count, int64_t stride) { hardmax_line(x, y, count, stride); });
}

}  // namespace

AxisView softmax_view(const ir::Node& node, int64_t opset, const Shape& shape) {
  const auto rank = static_cast<int64_t>(shape.size());
  const auto axis = static_cast<size_t>(normalize_axis(node, node.get_int("axis", opset >= 13 ? -1 : 1), rank));
  if (opset < 13) return {dims_product(shape, 0, axis), dims_product(shape, axis, shape.size()), 1};
  return view_around(shape, axis);
}

std::span<const Operator> softmax_operators() {
  static constexpr Card kSoftmax{.batch = Batch::kAlongAxis, .default_axis = -1, .layout = LayoutRule::kFollows};
  static constexpr Card kLogSoftmax{.batch = Batch::kAlongAxis, .default_axis = -1};
  static constexpr Operator kOperators[] = {
      {"", "Softmax", 1, 1, infer_softmax, evaluate_softmax, kSoftmax},
      {"", "LogSoftmax", 1, 1, infer_softmax, evaluate_log_softmax, kLogSoftmax},
      {"", "Hardmax", 1, 1, infer_softmax, evaluate_hardmax, kLogSoftmax},
  };
  return kOperators;
}

}  // namespace effdet::ops
