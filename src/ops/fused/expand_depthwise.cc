// ai.effdet::ExpandDepthwise: attributes, inference, reference kernel, card.
#include "ops/fused/expand_depthwise.h"

#include "ops/fused/conv.h"
#include "ops/fused/depthwise_conv.h"
#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

/// The pointwise expansion as a node of its own.
ir::Node expansion_of(const ir::Node& node) {
  ir::Node expand{"Conv", std::string(ir::kFusedDomain), node.name, {0, 1, 2}, {3}, {}};
  expand.attributes = {{"out_channels", node.get_int("out_channels", 0)},
                       {"activation", node.get_string("expand_activation", "none")},
                       {"layout", node.get_string("layout", "nchw")}};
  return expand;
}

std::vector<Inferred> infer_expand_depthwise(const InferContext& c) {
  using A = ExpandDepthwiseAttributes;
  require_inputs(c, 5);
  A::of(c.node);
  const Inferred map = infer_fused_conv({expansion_of(c.node), c.opset, c.inputs.first(3)}).at(0);
  const InputInfo inputs[] = {
      {.present = true, .dtype = map.dtype, .shape = map.shape}, c.inputs[A::kWeights], c.inputs[A::kBias]};
  return infer_depthwise_conv({c.node, c.opset, inputs});
}

void evaluate_expand_depthwise(const EvalContext& c) {
  using A = ExpandDepthwiseAttributes;
  const std::vector<Tensor> expanded = evaluate_node(expansion_of(c.node), c.opset, c.inputs.first(3), c.threads);
  const Tensor* inputs[] = {&expanded[0], c.inputs[A::kWeights], c.inputs[A::kBias]};
  evaluate_depthwise_conv({c.node, c.opset, inputs, c.outputs, c.threads});
}

/// Of both layers: the map between is no output.
int64_t expand_depthwise_products(const CostContext& c) {
  using A = ExpandDepthwiseAttributes;
  const Shape& weights = c.inputs[A::kWeights];
  return c.elements(c.outputs[0]) * weights[0] * weights[1] + c.elements(c.inputs[A::kX]) * weights[2];
}

}  // namespace

ExpandDepthwiseAttributes ExpandDepthwiseAttributes::of(const ir::Node& node) {
  ExpandDepthwiseAttributes a{.window = window_2d(node),
                              .out_channels = node.get_int("out_channels", 0),
                              .expand_activation = activation_of(node, "expand_activation"),
                              .activation = activation_of(node),
                              .layout = one_layout(node)};
  if (a.out_channels < 1 || a.out_channels > kMaxOutChannels)
    node_error(node, "attribute 'out_channels' is {}", a.out_channels);
  return a;
}

std::span<const Operator> fused_expand_depthwise_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap, Slot::kPackedWeights, Slot::kBias, Slot::kWeights, Slot::kBias};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kMapTypes,
                              .layout = LayoutRule::kAttributes,
                              .heavy = true,
                              .products = expand_depthwise_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "ExpandDepthwise", 5, 5, infer_expand_depthwise, evaluate_expand_depthwise, kCard, 1, 2}};
  return kOperators;
}

}  // namespace effdet::ops
