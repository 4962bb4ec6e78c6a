// ConvTranspose(x, weight, bias) -> y = act(transposed conv(x) + bias), of a size that is given.
#include <algorithm>

#include "ops/fused_util.h"
#include "ops/operators.h"
#include "ops/window.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_fused_conv_transpose(const InferContext& c) {
  const Window2d w = window_2d(c.node);
  activation_steps_of(c.node);
  const bool nhwc = one_layout(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), nhwc);
  const std::vector<int64_t> size = bounded_ints(c.node, "size", {1, 1}, 1, kMaxExtent);
  const Shape& weights = known_shape(c, 1, 4);
  require_shape(c, 1, {in.channels, weights[1], w.kernel_height, w.kernel_width});
  require_shape(c, 2, {weights[1]});
  if (w.pad_top >= w.kernel_height || w.pad_left >= w.kernel_width)
    node_error(c.node, "the padding is not smaller than the kernel");
  if (in.channels * w.kernel_height * w.kernel_width > kMaxExtent || weights[1] > kMaxOutChannels)
    node_error(c.node, "weights of shape {} are too large", shape_text(weights));
  return {{one_type(c), Dims{in.batch, weights[1], size[0], size[1]}.shape(nhwc)}};
}

/// ONNX's operator with the pads that give the size.
ir::Node onnx_node(const ir::Node& node, const Dims& in, const Dims& out) {
  const Window2d w = window_2d(node);
  const auto beyond = [](int64_t in_side, int64_t stride, int64_t kernel, int64_t pad, int64_t side) {
    return (in_side - 1) * stride + kernel - pad - side;  // what is written behind the output
  };
  const int64_t bottom = beyond(in.height, w.stride_y, w.kernel_height, w.pad_top, out.height),
                right = beyond(in.width, w.stride_x, w.kernel_width, w.pad_left, out.width);
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
  const Tensor x = input_nchw(c, 0);
  const ir::Node onnx = onnx_node(c.node, dims_of(x.shape(), false), dims_of(c.output().shape(), is_nhwc(c.node)));
  const Tensor* inputs[] = {&x, c.inputs[1], c.inputs[2]};
  Tensor y = evaluate_node(onnx, c.opset, inputs, c.threads).at(0);
  activate(c.node, y);
  write_output(c, y);
}

}  // namespace

std::span<const Operator> fused_conv_transpose_operators() {
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "ConvTranspose", 3, 3, infer_fused_conv_transpose, evaluate_fused_conv_transpose},
  };
  return kOperators;
}

}  // namespace effdet::ops
