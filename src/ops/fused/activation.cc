// ai.effdet::Activation(x): what no other operator absorbed. Its attribute `activation` has no steps.
#include <algorithm>

#include "ops/fused/activation_steps.h"
#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_fused_activation(const InferContext& c) {
  activation_of(c.node);
  if (c.dtype(0) != DType::kF32) node_error(c.node, "input 0 is {}, not float32", dtype_name(c.dtype(0)));
  return {{DType::kF32, c.shape(0)}};
}

void evaluate_fused_activation(const EvalContext& c) {
  const Activation activation = activation_of(c.node);
  std::ranges::transform(c.input(0).data<float>(), c.output().mutable_data<float>().begin(),
                         [&](float x) { return activate(activation, x); });
}

}  // namespace

std::span<const Operator> fused_activation_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kFloat32Maps,
                              .layout = LayoutRule::kAttributes,
                              .heavy = true};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Activation", 1, 1, infer_fused_activation, evaluate_fused_activation, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
