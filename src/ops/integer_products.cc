// Convolutions and matrix products of 8-bit integers, with int32 sums.
#include <algorithm>

#include "ops/conv.h"
#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

void require_bytes(const InferContext& c) {
  for (size_t i = 0; i < 2; ++i)
    if (c.dtype(i) != DType::kI8 && c.dtype(i) != DType::kU8)
      node_error(c.node, "input {} has type {}, not int8 or uint8", i, dtype_name(c.dtype(i)));
  for (size_t i = 2; i < 4; ++i)
    if (c.has(i) && c.dtype(i) != c.dtype(i - 2))
      node_error(c.node, "{} with a zero point of {}", dtype_name(c.dtype(i - 2)), dtype_name(c.dtype(i)));
}

/// x - zero point in float64, which holds every sum below 2^53; the zero point is a scalar, or one for each position of
/// the axis.
Tensor shifted(const ir::Node& node, const Tensor& x, const Tensor* zero, size_t axis) {
  Tensor result = expanded(x.to(DType::kF64), x.shape());
  if (zero == nullptr) return result;
  const Tensor wide = zero->to(DType::kF64);
  const AxisView view = x.rank() == 0 ? AxisView{1, 1, 1} : view_around(x.shape(), std::min(axis, x.rank() - 1));
  if (wide.numel() != 1 && wide.numel() != view.count)
    node_error(node, "zero point of shape {} for {}", shape_text(zero->shape()), shape_text(x.shape()));
  const auto values = result.mutable_data<double>();
  for (size_t i = 0; i < values.size(); ++i) {
    const auto position = static_cast<size_t>(static_cast<int64_t>(i) / view.inner % view.count);
    values[i] -= wide.data<double>()[wide.numel() == 1 ? 0 : position];
  }
  return result;
}

std::vector<Inferred> infer_conv_integer(const InferContext& c) {
  require_bytes(c);
  if (!known_rank(c, 0, 3) || !known_rank(c, 1, 3)) return {{DType::kI32, std::nullopt}};
  return {{DType::kI32, conv_shape(c, *c.shape(0), *c.shape(1), std::nullopt)}};
}

void evaluate_conv_integer(const EvalContext& c) {
  const Tensor x = shifted(c.node, c.input(0), c.has(2) ? &c.input(2) : nullptr, 1);
  const Tensor w = shifted(c.node, c.input(1), c.has(3) ? &c.input(3) : nullptr, 0);
  Tensor y(DType::kF64, c.output().shape());
  convolve(c, x, w, nullptr, y);
  c.output() = y.to(DType::kI32);
}

/// The same product of floats.
ir::Node float_product(const ir::Node& node) {
  return {"MatMul", "", node.name, {node.inputs[0], node.inputs[1]}, {node.outputs[0]}};
}

std::vector<Inferred> infer_matmul_integer(const InferContext& c) {
  require_bytes(c);
  std::vector<InputInfo> inputs;
  for (size_t i = 0; i < 2; ++i) inputs.push_back({.present = true, .dtype = DType::kF64, .shape = c.shape(i)});
  return {{DType::kI32, infer_node(float_product(c.node), c.opset, inputs)[0].shape}};
}

/// Zero points are one for all, one a row of the first matrix, or one a column of the second.
void evaluate_matmul_integer(const EvalContext& c) {
  const auto last = [&](size_t i) { return std::max<size_t>(1, c.input(i).rank()) - 1; };
  const Tensor a = shifted(c.node, c.input(0), c.has(2) ? &c.input(2) : nullptr, std::max<size_t>(1, last(0)) - 1);
  const Tensor b = shifted(c.node, c.input(1), c.has(3) ? &c.input(3) : nullptr, last(1));
  const Tensor* inputs[] = {&a, &b};
  c.output() = evaluate_node(float_product(c.node), c.opset, inputs, c.threads)[0].to(DType::kI32);
}

}  // namespace

std::span<const Operator> integer_product_operators() {
  static constexpr Card kHeavy{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "ConvInteger", 2, 4, infer_conv_integer, evaluate_conv_integer, kHeavy, 10},
      {"", "MatMulInteger", 2, 4, infer_matmul_integer, evaluate_matmul_integer, kHeavy, 10},
  };
  return kOperators;
}

}  // namespace effdet::ops
