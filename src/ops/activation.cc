// ONNX's activations, Clip among them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/activation.h"
#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

// Each activation is made from its node (for its attributes) and applied to one element.
struct Relu {
  explicit Relu(const ir::Node&) {}
  template <typename T>
  T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }  // keeps NaN
};

struct Sigmoid {
  explicit Sigmoid(const ir::Node&) {}
  template <typename T>
  T operator()(T x) const {
    return T(1) / (T(1) + std::exp(-x));
  }
};

struct Swish {
  float alpha;
  explicit Swish(const ir::Node& node) : alpha(node.get_float("alpha", 1)) {}
  template <typename T>
  T operator()(T x) const {
    return x * (T(1) / (T(1) + std::exp(T(-alpha) * x)));
  }
};

struct HardSigmoid {
  float alpha, beta;
  explicit HardSigmoid(const ir::Node& node)
      : alpha(node.get_float("alpha", 0.2f)), beta(node.get_float("beta", 0.5f)) {}
  template <typename T>
  T operator()(T x) const {
    return std::min(std::max(T(alpha) * x + T(beta), T(0)), T(1));  // in this order, NaN stays
  }
};

struct HardSwish {
  explicit HardSwish(const ir::Node&) {}
  template <typename T>
  T operator()(T x) const {
    return x * std::max(T(0), std::min(T(1), x / T(6) + T(0.5)));
  }
};

struct LeakyRelu {
  float alpha;
  explicit LeakyRelu(const ir::Node& node) : alpha(node.get_float("alpha", kLeakySlope)) {}
  template <typename T>
  T operator()(T x) const {
    return x < T(0) ? T(alpha) * x : x;
  }
};

/// log(1 + e^x), never overflowing.
template <typename T>
T softplus(T x) {
  return std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x)));
}

struct Softplus {
  explicit Softplus(const ir::Node&) {}
  template <typename T>
  T operator()(T x) const {
    return softplus(x);
  }
};

struct Softsign {
  explicit Softsign(const ir::Node&) {}
  template <typename T>
  T operator()(T x) const {
    return x / (T(1) + std::abs(x));
  }
};

struct Mish {
  explicit Mish(const ir::Node&) {}
  template <typename T>
  T operator()(T x) const {
    return x * std::tanh(softplus(x));
  }
};

struct Elu {
  float alpha;
  explicit Elu(const ir::Node& node) : alpha(node.get_float("alpha", 1)) {}
  template <typename T>
  T operator()(T x) const {
    return x < T(0) ? T(alpha) * std::expm1(x) : x;
  }
};

struct Selu {
  float alpha, gamma;
  explicit Selu(const ir::Node& node)
      : alpha(node.get_float("alpha", 1.67326319217681884765625f)),
        gamma(node.get_float("gamma", 1.05070102214813232421875f)) {}
  template <typename T>
  T operator()(T x) const {
    return T(gamma) * (x < T(0) ? T(alpha) * std::expm1(x) : x);
  }
};

struct Celu {
  float alpha;
  explicit Celu(const ir::Node& node) : alpha(node.get_float("alpha", 1)) {}
  template <typename T>
  T operator()(T x) const {
    return x < T(0) ? T(alpha) * std::expm1(x / T(alpha)) : x;
  }
};

struct ThresholdedRelu {
  float alpha;
  explicit ThresholdedRelu(const ir::Node& node) : alpha(node.get_float("alpha", 1)) {}
  template <typename T>
  T operator()(T x) const {
    return x > T(alpha) ? x : T(0);
  }
};

struct Shrink {
  float bias, limit;
  explicit Shrink(const ir::Node& node) : bias(node.get_float("bias", 0)), limit(node.get_float("lambd", 0.5f)) {}
  template <typename T>
  T operator()(T x) const {
    return x < T(-limit) ? x + T(bias) : x > T(limit) ? x - T(bias) : T(0);
  }
};

struct Gelu {
  bool tanh;
  explicit Gelu(const ir::Node& node) {
    const std::string approximate = node.get_string("approximate", "none");
    if (approximate != "none" && approximate != "tanh") node_error(node, "approximate is '{}'", approximate);
    tanh = approximate == "tanh";
  }
  template <typename T>
  T operator()(T x) const {
    if (tanh) return T(0.5) * x * (T(1) + std::tanh(T(0.7978845608028654) * (x + T(0.044715) * x * x * x)));
    return T(0.5) * x * (T(1) + std::erf(x * T(0.7071067811865476)));
  }
};

template <typename Function>
void evaluate_activation(const EvalContext& c) {
  const Function function(c.node);
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    std::ranges::transform(c.input(0).data<T>(), c.output().mutable_data<T>().begin(), function);
  });
}

/// Opset 11 turned Clip's attributes into inputs.
std::vector<Inferred> infer_clip(const InferContext& c) {
  if (c.opset < 11 && c.inputs.size() > 1) node_error(c.node, "takes its limits as attributes in opset {}", c.opset);
  require_number(c);
  require_same_types(c, 3);
  for (size_t i = 1; i < 3; ++i)
    if (c.shape(i) && !c.shape(i)->empty() && *c.shape(i) != Shape{1} && *c.shape(i) != Shape{-1})
      node_error(c.node, "limit of shape {} is no scalar", shape_text(*c.shape(i)));
  return infer_like_input(c);
}

template <typename T>
void clip(const EvalContext& c) {
  T low = std::numeric_limits<T>::lowest(), high = std::numeric_limits<T>::max();
  if constexpr (std::is_floating_point_v<T>) {
    if (c.opset < 11) {
      low = c.node.get_float("min", static_cast<float>(-std::numeric_limits<float>::max()));
      high = c.node.get_float("max", std::numeric_limits<float>::max());
    }
  }
  if (c.has(1)) low = c.input(1).data<T>()[0];
  if (c.has(2)) high = c.input(2).data<T>()[0];
  std::ranges::transform(c.input(0).data<T>(), c.output().mutable_data<T>().begin(),
                         [&](T x) { return std::min(std::max(x, low), high); });
}

void evaluate_clip(const EvalContext& c) {
  for (size_t i = 1; i < 3; ++i)
    if (c.has(i) && c.input(i).numel() != 1) node_error(c.node, "limit of {} values", c.input(i).numel());
  with_arithmetic_type(c, [](const EvalContext& wide, auto type) { clip<decltype(type)>(wide); });
}

}  // namespace

std::span<const Operator> activation_operators() {
  static constexpr Operator kOperators[] = {
      {"", "Relu", 1, 1, infer_like_float, evaluate_activation<Relu>, kByImage},
      {"", "Sigmoid", 1, 1, infer_like_float, evaluate_activation<Sigmoid>, kByImage},
      {"", "HardSigmoid", 1, 1, infer_like_float, evaluate_activation<HardSigmoid>, kByImage},
      {"", "HardSwish", 1, 1, infer_like_float, evaluate_activation<HardSwish>, kByImage, 14},
      {"", "LeakyRelu", 1, 1, infer_like_float, evaluate_activation<LeakyRelu>, kByImage},
      {"", "Softplus", 1, 1, infer_like_float, evaluate_activation<Softplus>, kByImage},
      {"", "Softsign", 1, 1, infer_like_float, evaluate_activation<Softsign>, kByImage},
      {"", "Mish", 1, 1, infer_like_float, evaluate_activation<Mish>, kByImage, 18},
      {"", "Elu", 1, 1, infer_like_float, evaluate_activation<Elu>, kByImage},
      {"", "Selu", 1, 1, infer_like_float, evaluate_activation<Selu>, kByImage},
      {"", "Celu", 1, 1, infer_like_float, evaluate_activation<Celu>, kByImage, 12},
      {"", "ThresholdedRelu", 1, 1, infer_like_float, evaluate_activation<ThresholdedRelu>, kByImage, 10},
      {"", "Shrink", 1, 1, infer_like_float, evaluate_activation<Shrink>, kByImage, 9},
      {"", "Gelu", 1, 1, infer_like_float, evaluate_activation<Gelu>, kByImage, 20},
      {"", "Swish", 1, 1, infer_like_float, evaluate_activation<Swish>, kByImage, 24},
      {"", "Clip", 1, 3, infer_clip, evaluate_clip, kByImage},
  };
  return kOperators;
}

}  // namespace effdet::ops
