// ai.effdet::DepthwisePointwise: attributes, inference, reference kernel, card.
#include "ops/fused/depthwise_pointwise.h"

#include "ops/fused/depthwise_conv.h"
#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

/// Each layer as a node of its own.
ir::Node depthwise_of(const ir::Node& node) {
  ir::Node depthwise{"DepthwiseConv", std::string(ir::kFusedDomain), node.name, {0, 1, 2}, {3}, node.attributes};
  depthwise.attributes["activation"] = node.get_string("depthwise_activation", "none");
  for (const char* of_output : {"output_layout", "output_type"}) depthwise.attributes.erase(of_output);
  return depthwise;
}

/// Of the depthwise layer's output.
ir::Node pointwise_of(const ir::Node& node) {
  ir::Node pointwise{"Conv", std::string(ir::kFusedDomain), node.name, {0, 1, 2, 3}, {4}, node.attributes};
  for (const char* others : {"kernel_shape", "strides", "pads", "group"}) pointwise.attributes.erase(others);
  return pointwise;
}

std::vector<Inferred> infer_depthwise_pointwise(const InferContext& c) {
  require_inputs(c, 5);
  const Inferred map = infer_depthwise_conv({depthwise_of(c.node), c.opset, c.inputs.first(3)}).at(0);
  std::vector<InputInfo> inputs{{.present = true, .dtype = map.dtype, .shape = map.shape}};
  inputs.insert(inputs.end(), c.inputs.begin() + 3, c.inputs.end());
  return infer_fused_conv({pointwise_of(c.node), c.opset, inputs});
}

void evaluate_depthwise_pointwise(const EvalContext& c) {
  const std::vector<Tensor> map = evaluate_node(depthwise_of(c.node), c.opset, c.inputs.first(3), c.threads);
  std::vector<const Tensor*> inputs{&map[0]};
  inputs.insert(inputs.end(), c.inputs.begin() + 3, c.inputs.end());
  evaluate_fused_conv({pointwise_of(c.node), c.opset, inputs, c.outputs, c.threads});
}

/// Of both layers: the map between is no output.
int64_t depthwise_pointwise_products(const CostContext& c) {
  using A = DepthwisePointwiseAttributes;
  const int64_t outputs = c.elements(c.outputs[0]);
  const int64_t pixels = outputs / std::max<int64_t>(1, c.node.get_int("out_channels", 1));
  return outputs * c.inputs[A::kWeights][1] + pixels * c.elements(c.inputs[A::kDepthwiseWeights]);
}

bool writes_plain_sums(const ir::Node& node) {
  return node.inputs.size() == 5 && DepthwisePointwiseAttributes::of(node).activation.steps.empty();
}

}  // namespace

DepthwisePointwiseAttributes DepthwisePointwiseAttributes::of(const ir::Node& node) {
  const auto pointwise = ConvAttributes::of(pointwise_of(node));
  return {.window = window_2d(node),
          .out_channels = pointwise.out_channels,
          .depthwise_activation = ActivationSteps::of(node, "depthwise_activation"),
          .activation = pointwise.activation,
          .layouts = pointwise.layouts,
          .output_type = pointwise.output_type,
          .products = pointwise.products};
}

std::span<const Operator> fused_depthwise_pointwise_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap,           Slot::kWeights, Slot::kBias,
                                    Slot::kPackedWeights, Slot::kBias,    Slot::kResidual};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kMapTypes,
                              .layout = LayoutRule::kAttributes,
                              .writes_plain = writes_plain_sums,
                              .heavy = true,
                              .products = depthwise_pointwise_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "DepthwisePointwise", 5, 6, infer_depthwise_pointwise, evaluate_depthwise_pointwise, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
