// Constant, ConstantOfShape and Range.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// A tensor of strings, 4-bit integers, ... is none that can be computed with.
void refuse_opaque(const ir::Node& node, const ir::Attribute* value) {
  if (value != nullptr && std::holds_alternative<std::shared_ptr<const ir::OpaqueAttribute>>(*value))
    fail(ErrorCode::kUnsupported, "{}: the type of its value is not supported", node_label(node));
}

/// The tensor that a Constant node holds in one of its attributes.
Tensor constant_of(const ir::Node& node) {
  if (const ir::Attribute* value = node.find("value"); value != nullptr && std::holds_alternative<Tensor>(*value))
    return std::get<Tensor>(*value);
  if (node.find("value_int")) return Tensor::scalar<int64_t>(node.get_int("value_int", 0));
  if (node.find("value_float")) return Tensor::scalar<float>(node.get_float("value_float", 0));
  if (node.find("value_ints")) {
    const auto values = node.get_ints("value_ints", {});
    return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
  }
  if (const ir::Attribute* value = node.find("value_floats"))
    if (const auto* values = std::get_if<std::vector<float>>(value))
      return Tensor::from<float>({static_cast<int64_t>(values->size())}, *values);
  refuse_opaque(node, node.find("value"));
  for (const char* other : {"sparse_value", "value_string", "value_strings"})
    if (node.find(other) != nullptr) fail(ErrorCode::kUnsupported, "{}: {} is not supported", node_label(node), other);
  node_error(node, "holds no tensor, int or float value");
}

std::vector<Inferred> infer_constant(const InferContext& c) {
  const Tensor tensor = constant_of(c.node);
  return {{tensor.dtype(), tensor.shape()}};
}

void evaluate_constant(const EvalContext& c) { c.output() = constant_of(c.node); }

/// The attribute of ConstantOfShape: one element, float32 zero where it is absent.
Tensor fill_value(const ir::Node& node) {
  const ir::Attribute* value = node.find("value");
  if (value == nullptr) return Tensor::scalar<float>(0);
  refuse_opaque(node, value);
  const auto* tensor = std::get_if<Tensor>(value);
  if (tensor == nullptr || tensor->numel() != 1) node_error(node, "value is no tensor of one element");
  return *tensor;
}

std::vector<Inferred> infer_constant_of_shape(const InferContext& c) {
  const DType dtype = fill_value(c.node).dtype();
  if (c.dtype(0) != DType::kI64) node_error(c.node, "the shape has type {}, not int64", dtype_name(c.dtype(0)));
  return {{dtype, c.listed_shape(0)}};
}

void evaluate_constant_of_shape(const EvalContext& c) {
  const Tensor value = fill_value(c.node);
  const size_t size = dtype_size(value.dtype());
  auto* out = c.output().mutable_bytes().data();
  for (int64_t i = 0; i < c.output().numel(); ++i) std::memcpy(out + i * size, value.bytes().data(), size);
}

std::vector<Inferred> infer_range(const InferContext& c) {
  require_number(c);
  require_same_types(c, 3);
  double ends[3];
  for (size_t i = 0; i < 3; ++i) {
    if (c.value(i) == nullptr) return {{c.dtype(0), Shape{-1}}};
    if (c.value(i)->numel() != 1) node_error(c.node, "input {} is no scalar", i);
    ends[i] = c.value(i)->to(DType::kF64).data<double>()[0];
  }
  const double count = std::ceil((ends[1] - ends[0]) / ends[2]);
  if (!(count <= static_cast<double>(kMaxElements))) node_error(c.node, "a range of {} values is too large", count);
  return {{c.dtype(0), Shape{count > 0 ? static_cast<int64_t>(count) : 0}}};
}

void evaluate_range(const EvalContext& c) {
  with_arithmetic_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    T value = wide.input(0).data<T>()[0];
    const T step = wide.input(2).data<T>()[0];
    for (T& out : wide.output().mutable_data<T>()) {
      out = value;
      value = wrapping(value, step, [](auto a, auto b) { return a + b; });
    }
  });
}

}  // namespace

std::span<const Operator> constant_operators() {
  static constexpr Operator kOperators[] = {
      {"", "Constant", 0, 0, infer_constant, evaluate_constant, kMixes},
      {"", "ConstantOfShape", 1, 1, infer_constant_of_shape, evaluate_constant_of_shape, kMixes, 9},
      {"", "Range", 3, 3, infer_range, evaluate_range, kMixes, 11},
  };
  return kOperators;
}

}  // namespace effdet::ops
