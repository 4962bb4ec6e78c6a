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

const Operator kOperators[] = {
    {"", "Abs", 1, 1, infer_like_number, evaluate_any<kAbsolute>},
    {"", "Neg", 1, 1, infer_like_number, evaluate_any<kNegateFloat>},
    {"", "Exp", 1, 1, infer_like_float, evaluate_float<kExp>},
    {"", "Log", 1, 1, infer_like_float, evaluate_float<kLog>},
    {"", "Sqrt", 1, 1, infer_like_float, evaluate_float<kSqrt>},
    {"", "Tanh", 1, 1, infer_like_float, evaluate_float<kTanh>},
    {"", "Erf", 1, 1, infer_like_float, evaluate_float<kErf>, 9},
    {"", "Floor", 1, 1, infer_like_float, evaluate_float<kFloor>},
    {"", "Ceil", 1, 1, infer_like_float, evaluate_float<kCeil>},
    {"", "Reciprocal", 1, 1, infer_like_float, evaluate_float<kReciprocal>},
};

}  // namespace

std::span<const Operator> unary_operators() { return kOperators; }

}  // namespace effdet::ops
