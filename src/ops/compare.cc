// Comparisons, logic and Where.
#include <cstring>

#include "ops/broadcast.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_compare(const InferContext& c) {
  require_same_types(c, 2);
  return {{DType::kBool, broadcast(c.node, c.shape(0), c.shape(1))}};
}

template <auto F>
void evaluate_compare(const EvalContext& c) {
  with_arithmetic_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    broadcast_binary<T, bool>(wide.input(0), wide.input(1), wide.output(), [](T a, T b) { return bool(F(a, b)); });
  });
}

std::vector<Inferred> infer_logic(const InferContext& c) {
  for (size_t i = 0; i < c.inputs.size(); ++i)
    if (c.dtype(i) != DType::kBool) node_error(c.node, "input {} has type {}, not bool", i, dtype_name(c.dtype(i)));
  if (c.inputs.size() == 1) return infer_like_input(c);
  return infer_compare(c);
}

void evaluate_not(const EvalContext& c) {
  const auto in = c.input(0).data<bool>();
  const auto out = c.output().mutable_data<bool>();
  for (size_t i = 0; i < in.size(); ++i) out[i] = !in[i];
}

std::vector<Inferred> infer_where(const InferContext& c) {
  if (c.dtype(0) != DType::kBool) node_error(c.node, "the condition has type {}", dtype_name(c.dtype(0)));
  if (c.dtype(1) != c.dtype(2))
    node_error(c.node, "chooses between {} and {}", dtype_name(c.dtype(1)), dtype_name(c.dtype(2)));
  return {{c.dtype(1), broadcast(c.node, broadcast(c.node, c.shape(0), c.shape(1)), c.shape(2))}};
}

void evaluate_where(const EvalContext& c) {
  const Shape& shape = c.output().shape();
  const Tensor condition = expanded(c.input(0), shape), x = expanded(c.input(1), shape),
               y = expanded(c.input(2), shape);
  const size_t size = dtype_size(x.dtype());  // elements of any type are moved, not computed with
  const auto choose = condition.data<bool>();
  auto* out = c.output().mutable_bytes().data();
  for (size_t i = 0; i < choose.size(); ++i)
    std::memcpy(out + i * size, (choose[i] ? x : y).bytes().data() + i * size, size);
}

constexpr auto kEqual = [](auto a, auto b) { return a == b; };
constexpr auto kLess = [](auto a, auto b) { return a < b; };
constexpr auto kGreater = [](auto a, auto b) { return a > b; };
constexpr auto kLessOrEqual = [](auto a, auto b) { return a <= b; };
constexpr auto kGreaterOrEqual = [](auto a, auto b) { return a >= b; };
constexpr auto kAnd = [](auto a, auto b) { return a && b; };
constexpr auto kXor = [](auto a, auto b) { return (a != 0) != (b != 0); };
constexpr auto kOr = [](auto a, auto b) { return a || b; };

}  // namespace

std::span<const Operator> compare_operators() {
  static constexpr Operator kOperators[] = {
      {"", "Equal", 2, 2, infer_compare, evaluate_compare<kEqual>, kByElement, 7},
      {"", "Less", 2, 2, infer_compare, evaluate_compare<kLess>, kByElement, 7},
      {"", "Greater", 2, 2, infer_compare, evaluate_compare<kGreater>, kByElement, 7},
      {"", "LessOrEqual", 2, 2, infer_compare, evaluate_compare<kLessOrEqual>, kByElement, 12},
      {"", "GreaterOrEqual", 2, 2, infer_compare, evaluate_compare<kGreaterOrEqual>, kByElement, 12},
      {"", "And", 2, 2, infer_logic, evaluate_compare<kAnd>, kByElement, 7},
      {"", "Or", 2, 2, infer_logic, evaluate_compare<kOr>, kByElement, 7},
      {"", "Xor", 2, 2, infer_logic, evaluate_compare<kXor>, kByElement, 7},
      {"", "Not", 1, 1, infer_logic, evaluate_not, kByImage},
      {"", "Where", 3, 3, infer_where, evaluate_where, kByElement, 9},
  };
  return kOperators;
}

}  // namespace effdet::ops
