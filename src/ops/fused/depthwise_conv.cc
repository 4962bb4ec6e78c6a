// ai.effdet::DepthwiseConv: attributes, inference, reference kernel, card.
#include "ops/fused/depthwise_conv.h"

#include "ops/fused/conv.h"
#include "ops/fused/maps.h"
#include "ops/fused/packing.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

/// The mean of each plane of y, which is NCHW; of codes, of the numbers that they stand for.
void write_means(const Tensor& y, const std::optional<Quantization>& codes, Tensor& means) {
  const size_t plane = static_cast<size_t>(y.dim(2) * y.dim(3));
  const auto values = y.data<float>();
  const auto to = means.mutable_data<float>();
  const double zero = codes ? codes->zero_point : 0;
  for (size_t i = 0; i < to.size(); ++i) {
    double sum = 0;
    for (size_t p = 0; p < plane; ++p) sum += values[i * plane + p] - zero;
    to[i] = static_cast<float>(sum / static_cast<double>(plane));
    if (codes) to[i] *= codes->scale;
  }
}

int64_t depthwise_products(const CostContext& c) {
  const Shape& weights = c.inputs[DepthwiseConvAttributes::kWeights];
  return c.elements(c.outputs[0]) * weights[0] * weights[1];
}

}  // namespace

DepthwiseConvAttributes DepthwiseConvAttributes::of(const ir::Node& node, std::string_view activation) {
  return {.window = window_2d(node),
          .activation = ActivationSteps::of(node, activation),
          .layout = one_layout(node),
          .x = quantization_of(node, "x"),
          .y = quantization_of(node, "y")};
}

std::vector<Inferred> infer_depthwise_conv(const InferContext& c) {
  using A = DepthwiseConvAttributes;
  const A a = A::of(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), a.layout);
  const DType type = map_type(c, 0, kCodeMaps), type_out = output_type_of(c.node).value_or(type);
  const bool codes = type == DType::kU8, scaled = c.has(A::kWeightScale);
  if (type_out != type && !codes && type_out != DType::kU8) node_error(c.node, "the output's type is not the input's");
  require_quantization(c.node, "x", type, a.x.has_value());
  require_quantization(c.node, "y", type_out, a.y.has_value());
  if (codes && !scaled) node_error(c.node, "codes by weights without a scale");
  if (a.y) require_rounding(c.node, a.activation);
  require_shape(c, A::kWeights, {a.window.kernel_height, a.window.kernel_width, in.channels},
                scaled ? DType::kI8 : DType::kF32);
  require_shape(c, A::kBias, {in.channels}, codes ? DType::kI32 : DType::kF32);
  require_shape(c, A::kWeightScale, {in.channels});
  if (codes && a.window.taps() > kMaxCodesDepth) node_error(c.node, "too many codes under one window");
  const Dims out = windowed(c.node, in, a.window);
  return {{type_out, out.shape(a.layout)}, {DType::kF32, Shape{in.batch, in.channels}}};
}

void evaluate_depthwise_conv(const EvalContext& c) {
  using A = DepthwiseConvAttributes;
  const A a = A::of(c.node);
  const Tensor x = input_nchw(c, 0, a.layout), bias = c.input(A::kBias);
  const Tensor weights = unpack_depthwise_weights(c.input(A::kWeights));
  std::vector<float> scales(static_cast<size_t>(x.dim(1)), 1.0f);
  Tensor sums;
  if (a.x) {
    for (size_t i = 0; i < scales.size(); ++i) scales[i] = a.x->scale * c.input(A::kWeightScale).data<float>()[i];
    sums = convolve_codes(c, a.window, x.to(DType::kU8), a.x->zero_point, weights, bias, x.dim(1));
  } else {
    sums = onnx_conv(c, a.window, x,
                     c.has(A::kWeightScale) ? dequantized_weights(weights, c.input(A::kWeightScale)) : weights, bias,
                     x.dim(1));
  }
  const Tensor y = SumsToMap{.activation = a.activation, .y = a.y, .layout = a.layout}.write(c, sums, scales);
  if (c.outputs.size() > 1 && !c.output(1).empty()) write_means(y, a.y, c.output(1));
}

std::span<const Operator> fused_depthwise_conv_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap, Slot::kWeights, Slot::kBias, Slot::kScale};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kCodeMaps,
                              .layout = LayoutRule::kAttributes,
                              .absorbs = Absorbs::kSteps,
                              .heavy = true,
                              .products = depthwise_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "DepthwiseConv", 3, 4, infer_depthwise_conv, evaluate_depthwise_conv, kCard, 1, 2}};
  return kOperators;
}

}  // namespace effdet::ops
