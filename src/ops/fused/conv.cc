// ai.effdet::Conv: attributes, inference, reference kernel, card.
#include "ops/fused/conv.h"

#include <algorithm>
#include <array>

#include "ops/fused/maps.h"
#include "ops/fused/packing.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

/// y = x times the gate of its channel; NCHW.
Tensor gated(const Tensor& x, const Tensor& gate) {
  Tensor y(DType::kF32, x.shape());
  const auto from = x.data<float>(), factors = gate.data<float>();
  const auto to = y.mutable_data<float>();
  const size_t plane = static_cast<size_t>(x.dim(2) * x.dim(3));
  for (size_t i = 0; i < to.size(); ++i) to[i] = from[i] * factors[i / plane];
  return y;
}

int64_t fused_conv_products(const CostContext& c) {
  return c.elements(c.outputs[0]) * c.inputs[ConvAttributes::kWeights][1];
}

/// A convolution gathers its windows anyway.
bool reads_plain(const ir::Node& node) {
  const auto attributes = ConvAttributes::of(node);
  const Window2d& window = attributes.window;
  return attributes.group == 1 && (window.kernel_height > 1 || window.kernel_width > 1);
}

bool writes_plain(const ir::Node& node) {
  const auto absent = [&](size_t i) { return i >= node.inputs.size() || node.inputs[i] == ir::kNoValue; };
  return absent(ConvAttributes::kResidual) && absent(ConvAttributes::kGate) &&
         ConvAttributes::of(node).activation.steps.empty();
}

/// That uint8 maps have a scale, and what comes with them.
void check_quantization(const InferContext& c, const ConvAttributes& a, DType type, DType type_out) {
  require_quantization(c.node, "x", type, a.x.has_value());
  require_quantization(c.node, "y", type_out, a.y.has_value());
  const bool has_residual = c.has(ConvAttributes::kResidual);
  require_quantization(c.node, "residual", has_residual ? type_out : DType::kF32, a.residual.has_value());
  if (a.x && !c.has(ConvAttributes::kWeightScale)) node_error(c.node, "codes by weights without a scale");
  if (a.y) require_rounding(c.node, a.activation);
}

}  // namespace

Products products_of(const ir::Node& node) {
  constexpr std::array<std::string_view, 4> kNames = {"", "direct", "strassen", "winograd"};
  const std::string name = node.get_string("product", "");
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) node_error(node, "attribute 'product' is '{}', no known scheme", name);
  return static_cast<Products>(found - kNames.begin());
}

ConvAttributes ConvAttributes::of(const ir::Node& node) {
  ConvAttributes a{.window = window_2d(node),
                   .group = node.get_int("group", 1),
                   .out_channels = node.get_int("out_channels", 0),
                   .activation = ActivationSteps::of(node),
                   .layouts = MapLayouts::of(node),
                   .output_type = output_type_of(node),
                   .products = products_of(node),
                   .x = quantization_of(node, "x"),
                   .y = quantization_of(node, "y"),
                   .residual = quantization_of(node, "residual")};
  if (a.out_channels < 1 || a.out_channels > kMaxOutChannels)
    node_error(node, "attribute 'out_channels' is {}", a.out_channels);
  if (a.group < 1 || (a.group > 1 && (a.out_channels % a.group != 0 || a.out_channels / a.group % kPanelChannels != 0)))
    node_error(node, "{} groups of {} output channels", a.group, a.out_channels);
  return a;
}

std::vector<Inferred> infer_fused_conv(const InferContext& c) {
  const auto a = ConvAttributes::of(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), a.layouts.input);
  const DType type = map_type(c, 0, kCodeMaps), type_out = a.output_type.value_or(type);
  const bool codes = type == DType::kU8;
  const DType weights = c.has(ConvAttributes::kWeightScale) ? DType::kI8 : type;
  check_quantization(c, a, type, type_out);
  if (in.channels % a.group != 0) node_error(c.node, "{} groups of {} input channels", a.group, in.channels);
  const int64_t depth = a.depth(in.channels), panels = panel_count(a.out_channels);
  if (depth > kMaxExtent) node_error(c.node, "{} values under one window are too many", depth);
  if (codes && depth > kMaxCodesDepth) node_error(c.node, "{} codes under one window are too many", depth);
  require_shape(c, ConvAttributes::kWeights, {panels, padded_depth(depth, weights), kPanelChannels}, weights);
  require_shape(c, ConvAttributes::kBias, {panels * kPanelChannels}, codes ? DType::kI32 : DType::kF32);
  require_shape(c, ConvAttributes::kWeightScale, {panels * kPanelChannels});
  Dims out = windowed(c.node, in, a.window);
  out.channels = a.out_channels;
  const Shape y = out.shape(a.layouts.output);
  require_shape(c, ConvAttributes::kResidual, y, type_out);
  require_shape(c, ConvAttributes::kGate, {in.batch, in.channels});
  if (c.has(ConvAttributes::kGate) && a.group != 1) node_error(c.node, "groups with a gate");
  if (c.has(ConvAttributes::kGate) && codes) node_error(c.node, "a gate on codes");
  return {{type_out, y}};
}

Tensor onnx_conv(const EvalContext& c, const Window2d& window, const Tensor& x, const Tensor& weights,
                 const Tensor& bias, int64_t group) {
  ir::Node conv{"Conv", "", c.node.name, {0, 1, 2}, {3}, window_attributes(window)};
  conv.attributes["group"] = group;
  const Tensor* inputs[] = {&x, &weights, &bias};
  return evaluate_node(conv, c.opset, inputs, c.threads).at(0);
}

void evaluate_fused_conv(const EvalContext& c) {
  using A = ConvAttributes;
  const A a = A::of(c.node);
  const Tensor x = input_nchw(c, A::kX, a.layouts.input);
  const Tensor weights = unpack_conv_weights(c.input(A::kWeights), a.group_channels(x.dim(1)), a.out_channels,
                                             a.window.kernel_height, a.window.kernel_width);
  std::vector<float> scales(static_cast<size_t>(a.out_channels), 1.0f);
  Tensor sums;
  if (a.x) {
    for (size_t i = 0; i < scales.size(); ++i) scales[i] = a.x->scale * c.input(A::kWeightScale).data<float>()[i];
    sums = convolve_codes(c, a.window, x.to(DType::kU8), a.x->zero_point, weights, c.input(A::kBias), a.group);
  } else {
    const Tensor bias = Tensor::from<float>({a.out_channels}, c.input(A::kBias).data<float>());
    sums = onnx_conv(c, a.window, c.has(A::kGate) ? gated(x, c.input(A::kGate)) : x,
                     c.has(A::kWeightScale) ? dequantized_weights(weights, c.input(A::kWeightScale)) : weights, bias,
                     a.group);
  }
  SumsToMap{.activation = a.activation,
            .y = a.y,
            .residual = c.has(A::kResidual) ? &c.input(A::kResidual) : nullptr,
            .residual_codes = a.residual,
            .layout = a.layouts.output}
      .write(c, sums, scales);
}

std::span<const Operator> fused_conv_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap,      Slot::kPackedWeights, Slot::kBias,
                                    Slot::kResidual, Slot::kGate,          Slot::kScale};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kCodeMaps,
                              .layout = LayoutRule::kAttributes,
                              .reads_plain = reads_plain,
                              .writes_plain = writes_plain,
                              .absorbs = Absorbs::kSteps,
                              .heavy = true,
                              .products = fused_conv_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Conv", 3, 6, infer_fused_conv, evaluate_fused_conv, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
