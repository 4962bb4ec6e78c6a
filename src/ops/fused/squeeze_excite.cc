// ai.effdet::SqueezeExcite: attributes, inference, reference kernel, card.
#include "ops/fused/squeeze_excite.h"

#include <algorithm>

#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_squeeze_excite(const InferContext& c) {
  using A = SqueezeExciteAttributes;
  A::of(c.node);
  const Shape mean = known_shape(c, A::kMean, 2), reduce = known_shape(c, A::kReduceWeights, 2);
  require_shape(c, A::kMean, mean);
  if (c.has(A::kReduceScale) != c.has(A::kExpandScale)) node_error(c.node, "one of two scales is absent");
  const DType weights = c.has(A::kReduceScale) ? DType::kI8 : DType::kF32;
  require_shape(c, A::kReduceWeights, {mean[1], reduce[1]}, weights);
  require_shape(c, A::kReduceBias, {reduce[1]});
  require_shape(c, A::kReduceScale, {reduce[1]});
  require_shape(c, A::kExpandWeights, {reduce[1], mean[1]}, weights);
  require_shape(c, A::kExpandBias, {mean[1]});
  require_shape(c, A::kExpandScale, {mean[1]});
  return {{DType::kF32, mean}};
}

/// y = act(x w + bias) for one row x.
Tensor dense(const ir::Node& node, const ActivationSteps& activation, std::span<const float> x, const Tensor& w,
             const Tensor& bias) {
  const auto weights = w.data<float>();
  Tensor y = Tensor::from<float>(bias.shape(), bias.data<float>());
  const auto sums = y.mutable_data<float>();
  for (size_t j = 0; j < sums.size(); ++j)
    for (size_t i = 0; i < x.size(); ++i) sums[j] += x[i] * weights[i * sums.size() + j];
  activate(node, activation, y);
  return y;
}

}  // namespace

Tensor dequantized_matrix(const Tensor& codes, const Tensor& scales) {
  Tensor matrix(DType::kF32, codes.shape());
  const auto from = codes.data<int8_t>();
  const auto to = matrix.mutable_data<float>();
  const auto columns = scales.data<float>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(from[i]) * columns[i % columns.size()];
  return matrix;
}

namespace {

void evaluate_squeeze_excite(const EvalContext& c) {
  using A = SqueezeExciteAttributes;
  const A a = A::of(c.node);
  const auto weights = [&](size_t matrix, size_t scale) {
    return c.has(scale) ? dequantized_matrix(c.input(matrix), c.input(scale)) : c.input(matrix);
  };
  const Tensor reduce = weights(A::kReduceWeights, A::kReduceScale),
               expand = weights(A::kExpandWeights, A::kExpandScale);
  const auto mean = c.input(A::kMean).data<float>();
  const auto gate = c.output().mutable_data<float>();
  const size_t channels = static_cast<size_t>(c.input(A::kMean).dim(1));
  for (size_t row = 0; row * channels < mean.size(); ++row) {
    const Tensor reduced =
        dense(c.node, {a.activation, {}}, mean.subspan(row * channels, channels), reduce, c.input(A::kReduceBias));
    const Tensor expanded = dense(c.node, a.gate_activation, reduced.data<float>(), expand, c.input(A::kExpandBias));
    std::ranges::copy(expanded.data<float>(), gate.begin() + static_cast<ptrdiff_t>(row * channels));
  }
}

int64_t squeeze_excite_products(const CostContext& c) {
  using A = SqueezeExciteAttributes;
  return c.elements(c.outputs[0]) * 2 * c.inputs[A::kReduceWeights][1];
}

}  // namespace

SqueezeExciteAttributes SqueezeExciteAttributes::of(const ir::Node& node) {
  return {.activation = activation_of(node), .gate_activation = ActivationSteps::of(node, "gate_activation")};
}

std::span<const Operator> fused_squeeze_excite_operators() {
  static constexpr Slot kSlots[] = {Slot::kOther, Slot::kWeights, Slot::kBias, Slot::kWeights,
                                    Slot::kBias,  Slot::kScale,   Slot::kScale};
  static constexpr Card kCard{
      .batch = Batch::kByImage, .slots = kSlots, .heavy = true, .products = squeeze_excite_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "SqueezeExcite", 5, 7, infer_squeeze_excite, evaluate_squeeze_excite, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
