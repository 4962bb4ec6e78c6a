// Functions of one element.
#include <algorithm>
#include <cmath>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_like_number(const InferContext& c) {
  require_number(c);
  return infer_like_input(c);
}

template <auto F>
void evaluate_float(const EvalContext& c) {
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    std::ranges::transform(c.input(0).data<T>(), c.output().mutable_data<T>().begin(), [](T x) { return T(F(x)); });
  });
}

template <auto F>
void evaluate_any(const EvalContext& c) {
  with_arithmetic_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    std::ranges::transform(wide.input(0).template data<T>(), wide.output().template mutable_data<T>().begin(),
                           [](T x) { return T(F(x)); });
  });
}

constexpr auto kNegate = [](auto x) { return wrapping(decltype(x)(0), x, [](auto a, auto b) { return a - b; }); };
constexpr auto kNegateFloat = [](auto x) {
  if constexpr (std::is_floating_point_v<decltype(x)>) {
    return -x;  // 0 - x would lose the sign of zero
  } else {
    return kNegate(x);
  }
};
constexpr auto kAbsolute = [](auto x) {
  if constexpr (std::is_floating_point_v<decltype(x)>) {
    return std::abs(x);
  } else {
    return x < decltype(x)(0) ? kNegate(x) : x;
  }
};
constexpr auto kExp = [](auto x) { return std::exp(x); };
constexpr auto kLog = [](auto x) { return std::log(x); };
constexpr auto kSqrt = [](auto x) { return std::sqrt(x); };
constexpr auto kTanh = [](auto x) { return std::tanh(x); };
constexpr auto kErf = [](auto x) { return std::erf(x); };
constexpr auto kFloor = [](auto x) { return std::floor(x); };
constexpr auto kCeil = [](auto x) { return std::ceil(x); };
constexpr auto kReciprocal = [](auto x) { return decltype(x)(1) / x; };

constexpr auto kSign = [](auto x) { return decltype(x)((x > decltype(x)(0)) - (x < decltype(x)(0))); };
constexpr auto kRound = [](auto x) { return std::nearbyint(x); };  // halves to even
constexpr auto kSin = [](auto x) { return std::sin(x); };
constexpr auto kCos = [](auto x) { return std::cos(x); };
constexpr auto kTan = [](auto x) { return std::tan(x); };
constexpr auto kAsin = [](auto x) { return std::asin(x); };
constexpr auto kAcos = [](auto x) { return std::acos(x); };
constexpr auto kAtan = [](auto x) { return std::atan(x); };
constexpr auto kSinh = [](auto x) { return std::sinh(x); };
constexpr auto kCosh = [](auto x) { return std::cosh(x); };
constexpr auto kAsinh = [](auto x) { return std::asinh(x); };
constexpr auto kAcosh = [](auto x) { return std::acosh(x); };
constexpr auto kAtanh = [](auto x) { return std::atanh(x); };
constexpr auto kBitNot = [](auto x) { return ~x; };

std::vector<Inferred> infer_integer(const InferContext& c) {
  require_integer(c);
  return infer_like_input(c);
}

void evaluate_bit_not(const EvalContext& c) {
  with_integer_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    std::ranges::transform(wide.input(0).template data<T>(), wide.output().template mutable_data<T>().begin(), kBitNot);
  });
}

std::vector<Inferred> infer_test(const InferContext& c) {
  require_float(c);
  return {{DType::kBool, c.shape(0)}};
}

/// out[i] = test(x[i]) for x as double, which keeps what the tests ask for.
template <typename F>
void evaluate_test(const EvalContext& c, F test) {
  const Tensor wide = c.input(0).to(DType::kF64);
  std::ranges::transform(wide.data<double>(), c.output().mutable_data<bool>().begin(), test);
}

void evaluate_is_nan(const EvalContext& c) {
  evaluate_test(c, [](double x) { return std::isnan(x); });
}

void evaluate_is_inf(const EvalContext& c) {
  const bool positive = c.node.get_int("detect_positive", 1) != 0, negative = c.node.get_int("detect_negative", 1) != 0;
  evaluate_test(c, [=](double x) { return std::isinf(x) && (x > 0 ? positive : negative); });
}

}  // namespace

std::span<const Operator> unary_operators() {
  static constexpr Operator kOperators[] = {
      {"", "Abs", 1, 1, infer_like_number, evaluate_any<kAbsolute>, kByImage},
      {"", "Neg", 1, 1, infer_like_number, evaluate_any<kNegateFloat>, kByImage},
      {"", "Exp", 1, 1, infer_like_float, evaluate_float<kExp>, kByImage},
      {"", "Log", 1, 1, infer_like_float, evaluate_float<kLog>, kByImage},
      {"", "Sqrt", 1, 1, infer_like_float, evaluate_float<kSqrt>, kByImage},
      {"", "Tanh", 1, 1, infer_like_float, evaluate_float<kTanh>, kByImage},
      {"", "Erf", 1, 1, infer_like_float, evaluate_float<kErf>, kByImage, 9},
      {"", "Floor", 1, 1, infer_like_float, evaluate_float<kFloor>, kByImage},
      {"", "Ceil", 1, 1, infer_like_float, evaluate_float<kCeil>, kByImage},
      {"", "Reciprocal", 1, 1, infer_like_float, evaluate_float<kReciprocal>, kByImage},
      {"", "Round", 1, 1, infer_like_float, evaluate_float<kRound>, kByImage, 11},
      {"", "Sin", 1, 1, infer_like_float, evaluate_float<kSin>, kByImage},
      {"", "Cos", 1, 1, infer_like_float, evaluate_float<kCos>, kByImage},
      {"", "Tan", 1, 1, infer_like_float, evaluate_float<kTan>, kByImage},
      {"", "Asin", 1, 1, infer_like_float, evaluate_float<kAsin>, kByImage},
      {"", "Acos", 1, 1, infer_like_float, evaluate_float<kAcos>, kByImage},
      {"", "Atan", 1, 1, infer_like_float, evaluate_float<kAtan>, kByImage},
      {"", "Sinh", 1, 1, infer_like_float, evaluate_float<kSinh>, kByImage, 9},
      {"", "Cosh", 1, 1, infer_like_float, evaluate_float<kCosh>, kByImage, 9},
      {"", "Asinh", 1, 1, infer_like_float, evaluate_float<kAsinh>, kByImage, 9},
      {"", "Acosh", 1, 1, infer_like_float, evaluate_float<kAcosh>, kByImage, 9},
      {"", "Atanh", 1, 1, infer_like_float, evaluate_float<kAtanh>, kByImage, 9},
      {"", "Sign", 1, 1, infer_like_number, evaluate_any<kSign>, kByImage, 9},
      {"", "BitwiseNot", 1, 1, infer_integer, evaluate_bit_not, kByImage, 18},
      {"", "IsNaN", 1, 1, infer_test, evaluate_is_nan, kByImage, 9},
      {"", "IsInf", 1, 1, infer_test, evaluate_is_inf, kByImage, 10},
  };
  return kOperators;
}

}  // namespace effdet::ops
