// Arithmetic on two tensors and more, with broadcasting.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "ops/broadcast.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_broadcast(const InferContext& c) {
  require_number(c);
  require_same_types(c, c.inputs.size());
  std::optional<Shape> shape = c.shape(0);
  for (size_t i = 1; i < c.inputs.size(); ++i) {
    c.dtype(i);  // a variadic operator's inputs are all required
    shape = broadcast(c.node, shape, c.shape(i));
  }
  return {{c.dtype(0), shape}};
}

/// Pow's exponent may have a type of its own since opset 12.
std::vector<Inferred> infer_pow(const InferContext& c) {
  require_number(c);
  return {{c.dtype(0), broadcast(c.node, c.shape(0), c.shape(1))}};
}

constexpr auto kAdd = [](auto a, auto b) { return wrapping(a, b, [](auto x, auto y) { return x + y; }); };
constexpr auto kSub = [](auto a, auto b) { return wrapping(a, b, [](auto x, auto y) { return x - y; }); };
constexpr auto kMul = [](auto a, auto b) { return wrapping(a, b, [](auto x, auto y) { return x * y; }); };
constexpr auto kMin = [](auto a, auto b) { return b < a || b != b ? b : a; };
constexpr auto kMax = [](auto a, auto b) { return a < b || b != b ? b : a; };
constexpr auto kPow = [](auto a, auto b) {
  using T = decltype(a);
  if constexpr (std::is_same_v<T, float>) {
    return std::pow(a, b);
  } else {
    return saturating_cast<T>(std::pow(static_cast<double>(a), static_cast<double>(b)));
  }
};

template <auto F>
void evaluate_binary(const EvalContext& c) {
  with_arithmetic_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    broadcast_binary<T, T>(wide.input(0), wide.input(1), wide.output(), [](T a, T b) { return T(F(a, b)); });
  });
}

void evaluate_pow(const EvalContext& c) {
  const Tensor exponent = c.input(1).to(c.input(0).dtype());
  const Tensor* inputs[] = {&c.input(0), &exponent};
  evaluate_binary<kPow>({c.node, c.opset, inputs, c.outputs, c.threads});
}

void evaluate_div(const EvalContext& c) {
  with_arithmetic_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    broadcast_binary<T, T>(wide.input(0), wide.input(1), wide.output(), [&](T a, T b) {
      if constexpr (std::is_integral_v<T>) {
        if (b == T(0)) node_error(wide.node, "integer division by zero");
        if constexpr (std::is_signed_v<T>)
          if (b == T(-1)) return kSub(T(0), a);  // the smallest number has no opposite
      }
      return T(a / b);
    });
  });
}

/// b's sign (numpy's mod; zero has it too), or a's where the attribute fmod says so (C's fmod).
template <typename T>
T modulo(const ir::Node& node, T a, T b, bool fmod) {
  if constexpr (std::is_floating_point_v<T>) {
    const T rest = std::fmod(a, b);
    if (fmod || std::isnan(rest)) return rest;
    if (rest == T(0)) return std::copysign(rest, b);
    return (rest < T(0)) == (b < T(0)) ? rest : rest + b;
  } else {
    if (b == T(0)) node_error(node, "integer division by zero");
    if constexpr (std::is_signed_v<T>)
      if (b == T(-1)) return T(0);  // the smallest number has no opposite
    const T rest = a % b;
    return fmod || rest == T(0) || (rest < T(0)) == (b < T(0)) ? rest : rest + b;
  }
}

void evaluate_mod(const EvalContext& c) {
  const bool fmod = c.node.get_int("fmod", 0) != 0;
  with_arithmetic_type(c, [&](const EvalContext& wide, auto type) {
    using T = decltype(type);
    broadcast_binary<T, T>(wide.input(0), wide.input(1), wide.output(),
                           [&](T a, T b) { return modulo(c.node, a, b, fmod); });
  });
}

std::vector<Inferred> infer_bitwise(const InferContext& c) {
  require_integer(c);
  return infer_broadcast(c);
}

template <auto F>
void evaluate_bitwise(const EvalContext& c) {
  with_integer_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    broadcast_binary<T, T>(wide.input(0), wide.input(1), wide.output(), [](T a, T b) { return T(F(a, b)); });
  });
}

constexpr auto kBitAnd = [](auto a, auto b) { return a & b; };
constexpr auto kBitOr = [](auto a, auto b) { return a | b; };
constexpr auto kBitXor = [](auto a, auto b) { return a ^ b; };

/// On unsigned integers, since opset 28 on signed ones too; the amount may be larger than their width.
std::vector<Inferred> infer_shift(const InferContext& c) {
  const DType dtype = c.dtype(0);
  require_integer(c);
  if (c.opset < 28 && dtype != DType::kU8 && dtype != DType::kU16 && dtype != DType::kU32 && dtype != DType::kU64)
    node_error(c.node, "shifts {}, not an unsigned integer", dtype_name(dtype));
  const std::string direction = c.node.get_string("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") node_error(c.node, "direction is '{}'", direction);
  return infer_broadcast(c);
}

void evaluate_shift(const EvalContext& c) {
  const bool left = c.node.get_string("direction", "") == "LEFT";
  with_integer_type(c, [&](const EvalContext& wide, auto type) {
    using T = decltype(type);
    broadcast_binary<T, T>(wide.input(0), wide.input(1), wide.output(), [&](T a, T b) {
      const auto amount = static_cast<uint64_t>(b);  // a negative one is larger than any width
      if (left) return amount >= 64 ? T(0) : static_cast<T>(static_cast<uint64_t>(a) << amount);
      if (amount >= 64) return a < T(0) ? T(-1) : T(0);
      return static_cast<T>(a >> amount);  // keeps the sign of a signed number
    });
  });
}

/// The slope stretches to the input, not the other way round.
std::vector<Inferred> infer_prelu(const InferContext& c) {
  const std::vector<Inferred> result = infer_broadcast(c);
  if (c.shape(0) && is_known(*c.shape(0)) && result[0].shape && *result[0].shape != *c.shape(0))
    node_error(c.node, "a slope of shape {} for an input of shape {}", shape_text(*c.shape(1)),
               shape_text(*c.shape(0)));
  return {{c.dtype(0), c.shape(0)}};
}

constexpr auto kPRelu = [](auto a, auto b) { return a < decltype(a)(0) ? kMul(a, b) : a; };

/// Folds any number of inputs into the output, two at a time.
template <auto F>
void evaluate_variadic(const EvalContext& c) {
  with_arithmetic_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    Tensor& sum = wide.output();
    copy_strided(wide.input(0), 0, sum.shape(), broadcast_strides(wide.input(0).shape(), sum.shape()), sum);
    for (size_t i = 1; i < wide.inputs.size(); ++i)
      broadcast_binary<T, T>(sum, wide.input(i), sum, [](T a, T b) { return T(F(a, b)); });
  });
}

void evaluate_mean(const EvalContext& c) {
  evaluate_variadic<kAdd>(c);
  with_float_type(c.node, c.output().dtype(), [&](auto type) {
    using T = decltype(type);
    for (T& x : c.output().mutable_data<T>()) x /= static_cast<T>(c.inputs.size());
  });
}

}  // namespace

std::span<const Operator> elementwise_operators() {
  static constexpr Operator kOperators[] = {
      {"", "Add", 2, 2, infer_broadcast, evaluate_binary<kAdd>, kByElement, 7},
      {"", "Sub", 2, 2, infer_broadcast, evaluate_binary<kSub>, kByElement, 7},
      {"", "Mul", 2, 2, infer_broadcast, evaluate_binary<kMul>, kByElement, 7},
      {"", "Div", 2, 2, infer_broadcast, evaluate_div, kByElement, 7},
      {"", "Pow", 2, 2, infer_pow, evaluate_pow, kByElement, 7},
      {"", "Mod", 2, 2, infer_broadcast, evaluate_mod, kByElement, 10},
      {"", "PRelu", 2, 2, infer_prelu, evaluate_binary<kPRelu>, kByElement, 7},
      {"", "BitwiseAnd", 2, 2, infer_bitwise, evaluate_bitwise<kBitAnd>, kByElement, 18},
      {"", "BitwiseOr", 2, 2, infer_bitwise, evaluate_bitwise<kBitOr>, kByElement, 18},
      {"", "BitwiseXor", 2, 2, infer_bitwise, evaluate_bitwise<kBitXor>, kByElement, 18},
      {"", "BitShift", 2, 2, infer_shift, evaluate_shift, kByElement, 11},
      {"", "Min", 1, kVariadic, infer_broadcast, evaluate_variadic<kMin>, kByElement, 8},
      {"", "Max", 1, kVariadic, infer_broadcast, evaluate_variadic<kMax>, kByElement, 8},
      {"", "Sum", 1, kVariadic, infer_broadcast, evaluate_variadic<kAdd>, kByElement, 8},
      {"", "Mean", 1, kVariadic, infer_broadcast, evaluate_mean, kByElement, 8},
  };
  return kOperators;
}

}  // namespace effdet::ops
