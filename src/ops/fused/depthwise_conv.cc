// ai.effdet::DepthwiseConv: attributes, inference, reference kernel, card.
#include "ops/fused/depthwise_conv.h"

#include "ops/fused/conv.h"
#include "ops/fused/maps.h"
#include "ops/fused/packing.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

/// The mean of each plane of y, which is NCHW.
void write_means(const Tensor& y, Tensor& means) {
  const size_t plane = static_cast<size_t>(y.dim(2) * y.dim(3));
  const auto values = y.data<float>();
  const auto to = means.mutable_data<float>();
  for (size_t i = 0; i < to.size(); ++i) {
    double sum = 0;
    for (size_t p = 0; p < plane; ++p) sum += values[i * plane + p];
    to[i] = static_cast<float>(sum / static_cast<double>(plane));
  }
}

int64_t depthwise_products(const CostContext& c) {
  const Shape& weights = c.inputs[DepthwiseConvAttributes::kWeights];
  return c.elements(c.outputs[0]) * weights[0] * weights[1];
}

}  // namespace

DepthwiseConvAttributes DepthwiseConvAttributes::of(const ir::Node& node, std::string_view activation) {
  return {.window = window_2d(node), .activation = ActivationSteps::of(node, activation), .layout = one_layout(node)};
}

std::vector<Inferred> infer_depthwise_conv(const InferContext& c) {
  const auto a = DepthwiseConvAttributes::of(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), a.layout);
  require_shape(c, DepthwiseConvAttributes::kWeights, {a.window.kernel_height, a.window.kernel_width, in.channels});
  require_shape(c, DepthwiseConvAttributes::kBias, {in.channels});
  const Dims out = windowed(c.node, in, a.window);
  return {{one_type(c), out.shape(a.layout)}, {DType::kF32, Shape{in.batch, in.channels}}};
}

void evaluate_depthwise_conv(const EvalContext& c) {
  const auto a = DepthwiseConvAttributes::of(c.node);
  const Tensor x = input_nchw(c, 0, a.layout);
  const Tensor weights = unpack_depthwise_weights(c.input(DepthwiseConvAttributes::kWeights));
  Tensor y = onnx_conv(c, a.window, x, weights, c.input(DepthwiseConvAttributes::kBias), x.dim(1));
  activate(c.node, a.activation, y);
  write_output(c, y, a.layout);
  if (c.outputs.size() > 1 && !c.output(1).empty()) write_means(y, c.output(1));
}

std::span<const Operator> fused_depthwise_conv_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap, Slot::kWeights, Slot::kBias};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kMapTypes,
                              .layout = LayoutRule::kAttributes,
                              .absorbs = Absorbs::kSteps,
                              .heavy = true,
                              .products = depthwise_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "DepthwiseConv", 3, 3, infer_depthwise_conv, evaluate_depthwise_conv, kCard, 1, 2}};
  return kOperators;
}

}  // namespace effdet::ops
