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
  return node.inputs.size() == 3 && ConvAttributes::of(node).activation.steps.empty();
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
                   .products = products_of(node)};
  if (a.out_channels < 1 || a.out_channels > kMaxOutChannels)
    node_error(node, "attribute 'out_channels' is {}", a.out_channels);
  if (a.group < 1 || (a.group > 1 && (a.out_channels % a.group != 0 || a.out_channels / a.group % kPanelChannels != 0)))
    node_error(node, "{} groups of {} output channels", a.group, a.out_channels);
  return a;
}

std::vector<Inferred> infer_fused_conv(const InferContext& c) {
  const auto a = ConvAttributes::of(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), a.layouts.input);
  const DType type = map_type(c, 0), type_out = a.output_type.value_or(type);
  if (in.channels % a.group != 0) node_error(c.node, "{} groups of {} input channels", a.group, in.channels);
  const int64_t depth = a.depth(in.channels), panels = panel_count(a.out_channels);
  if (depth > kMaxExtent) node_error(c.node, "{} values under one window are too many", depth);
  require_shape(c, ConvAttributes::kWeights, {panels, padded_depth(depth, type), kPanelChannels}, type);
  require_shape(c, ConvAttributes::kBias, {panels * kPanelChannels});
  Dims out = windowed(c.node, in, a.window);
  out.channels = a.out_channels;
  const Shape y = out.shape(a.layouts.output);
  require_shape(c, ConvAttributes::kResidual, y, type_out);
  require_shape(c, ConvAttributes::kGate, {in.batch, in.channels});
  if (c.has(ConvAttributes::kGate) && a.group != 1) node_error(c.node, "groups with a gate");
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
  const auto a = ConvAttributes::of(c.node);
  Tensor x = input_nchw(c, 0, a.layouts.input);
  if (c.has(ConvAttributes::kGate)) x = gated(x, c.input(ConvAttributes::kGate));
  const Tensor weights = unpack_conv_weights(c.input(ConvAttributes::kWeights), a.group_channels(x.dim(1)),
                                             a.out_channels, a.window.kernel_height, a.window.kernel_width);
  const Tensor bias = Tensor::from<float>({a.out_channels}, c.input(ConvAttributes::kBias).data<float>());
  Tensor y = onnx_conv(c, a.window, x, weights, bias, a.group);
  if (c.has(ConvAttributes::kResidual)) {
    const auto out = y.mutable_data<float>();
    const Tensor residual = input_nchw(c, ConvAttributes::kResidual, a.layouts.output);
    std::ranges::transform(out, residual.data<float>(), out.begin(), std::plus{});
  }
  activate(c.node, a.activation, y);
  write_output(c, y, a.layouts.output);
}

std::span<const Operator> fused_conv_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap, Slot::kPackedWeights, Slot::kBias, Slot::kResidual, Slot::kGate};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kMapTypes,
                              .layout = LayoutRule::kAttributes,
                              .reads_plain = reads_plain,
                              .writes_plain = writes_plain,
                              .absorbs = Absorbs::kSteps,
                              .heavy = true,
                              .products = fused_conv_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Conv", 3, 5, infer_fused_conv, evaluate_fused_conv, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
