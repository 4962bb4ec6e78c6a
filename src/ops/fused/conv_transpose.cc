// ai.effdet::ConvTranspose: attributes, inference, reference kernel, card.
#include "ops/fused/conv_transpose.h"

#include <algorithm>

#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_fused_conv_transpose(const InferContext& c) {
  using A = ConvTransposeAttributes;
  const A a = A::of(c.node);
  const Window2d& w = a.window;
  const Dims in = dims_of(known_shape(c, A::kX, 4), a.layout);
  const Shape& weights = known_shape(c, A::kWeights, 4);
  require_shape(c, A::kWeights, {in.channels, weights[1], w.kernel_height, w.kernel_width});
  require_shape(c, A::kBias, {weights[1]});
  if (in.channels * w.kernel_height * w.kernel_width > kMaxExtent || weights[1] > kMaxOutChannels)
    node_error(c.node, "weights of shape {} are too large", shape_text(weights));
  return {{one_type(c), Dims{in.batch, weights[1], a.height, a.width}.shape(a.layout)}};
}

/// ONNX's operator with the pads that give the size.
ir::Node onnx_node(const ir::Node& node, const ConvTransposeAttributes& a, const Dims& in) {
  const Window2d& w = a.window;
  const auto beyond = [](int64_t in_side, int64_t stride, int64_t kernel, int64_t pad, int64_t side) {
    return (in_side - 1) * stride + kernel - pad - side;  // what is written after the end of the output
  };
  const int64_t bottom = beyond(in.height, w.stride_y, w.kernel_height, w.pad_top, a.height),
                right = beyond(in.width, w.stride_x, w.kernel_width, w.pad_left, a.width);
  using Ints = std::vector<int64_t>;
  const auto positive = [](int64_t value) { return std::max<int64_t>(0, value); };
  return {"ConvTranspose",
          "",
          node.name,
          {0, 1, 2},
          {3},
          {{"kernel_shape", Ints{w.kernel_height, w.kernel_width}},
           {"strides", Ints{w.stride_y, w.stride_x}},
           {"pads", Ints{w.pad_top, w.pad_left, positive(bottom), positive(right)}},
           {"output_padding", Ints{positive(-bottom), positive(-right)}}}};
}

void evaluate_fused_conv_transpose(const EvalContext& c) {
  using A = ConvTransposeAttributes;
  const A a = A::of(c.node);
  const Tensor x = input_nchw(c, A::kX, a.layout);
  const Tensor* inputs[] = {&x, c.inputs[A::kWeights], c.inputs[A::kBias]};
  const ir::Node onnx = onnx_node(c.node, a, dims_of(x.shape(), Layout::kPlain));
  Tensor y = evaluate_node(onnx, c.opset, inputs, c.threads).at(0);
  activate(c.node, a.activation, y);
  write_output(c, y, a.layout);
}

int64_t conv_transpose_products(const CostContext& c) {
  using A = ConvTransposeAttributes;
  const Window2d w = A::of(c.node).window;
  const int64_t products = c.inputs[A::kWeights][0] * w.taps() / (w.stride_y * w.stride_x);
  return c.elements(c.outputs[0]) * std::max<int64_t>(1, products);
}

}  // namespace

ConvTransposeAttributes ConvTransposeAttributes::of(const ir::Node& node) {
  ConvTransposeAttributes a{
      .window = window_2d(node), .activation = ActivationSteps::of(node), .layout = one_layout(node)};
  const std::vector<int64_t> size = bounded_ints(node, "size", {1, 1}, 1, kMaxExtent);
  a.height = size[0], a.width = size[1];
  if (a.window.pad_top >= a.window.kernel_height || a.window.pad_left >= a.window.kernel_width)
    node_error(node, "the padding is not smaller than the kernel");
  return a;
}

std::span<const Operator> fused_conv_transpose_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap, Slot::kWeights, Slot::kBias};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kFloat32Maps,
                              .layout = LayoutRule::kAttributes,
                              .absorbs = Absorbs::kSteps,
                              .heavy = true,
                              .products = conv_transpose_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "ConvTranspose", 3, 3, infer_fused_conv_transpose, evaluate_fused_conv_transpose, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
