// Conv and DepthwiseConv with bias, activation and what surrounds them.
#include <algorithm>
#include <cmath>

#include "ops/fused.h"
#include "ops/fused_util.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

// --- Conv(x, weight, bias, residual?, gate?) -> y = act(conv(x * gate) + bias + residual)

std::vector<Inferred> infer_window_conv(const InferContext& c) {
  const Window2d w = window_2d(c.node);
  activation_steps_of(c.node);
  const bool nhwc_out = is_nhwc(c.node, true);
  const Dims in = dims_of(known_shape(c, 0, 4), is_nhwc(c.node));
  const DType type = map_type(c, 0), type_out = output_type(c.node, type);
  const int64_t out_channels = c.node.get_int("out_channels", 0);
  if (out_channels < 1 || out_channels > kMaxOutChannels)
    node_error(c.node, "attribute 'out_channels' is {}", out_channels);
  const int64_t panels = panel_count(out_channels);
  const int64_t depth = w.kernel_height * w.kernel_width * group_channels(c.node, in.channels);
  if (depth > kMaxExtent) node_error(c.node, "{} values under one window are too many", depth);
  const int64_t padded = type == DType::kBF16 ? (depth + 1) / 2 * 2 : depth;
  require_shape(c, 1, {panels, padded, kPanelChannels}, type);
  require_shape(c, 2, {panels * kPanelChannels});
  Dims out = windowed(c.node, in, w);
  out.channels = out_channels;
  require_shape(c, 3, out.shape(nhwc_out), type_out);
  require_shape(c, 4, {in.batch, in.channels});
  if (c.has(4) && c.node.get_int("group", 1) != 1) node_error(c.node, "groups with a gate");
  return {{type_out, out.shape(nhwc_out)}};
}

/// The ONNX Conv of NCHW x by OIHW weights, with this node's window.
Tensor plain_conv(const EvalContext& c, const Tensor& x, const Tensor& weights, const Tensor& bias, int64_t group) {
  ir::Node conv{"Conv", "", c.node.name, {}, {}, window_attributes(c.node)};
  conv.attributes["group"] = group;
  const Tensor* inputs[] = {&x, &weights, &bias};
  conv.inputs = {0, 1, 2};
  conv.outputs = {3};
  return evaluate_node(conv, c.opset, inputs, c.threads).at(0);
}

void evaluate_window_conv(const EvalContext& c) {
  const Window2d w = window_2d(c.node);
  Tensor x = input_nchw(c, 0);
  const Dims in = dims_of(x.shape(), false);
  const int64_t out_channels = c.node.get_int("out_channels", 0);
  if (c.has(4)) {
    Tensor gated(DType::kF32, x.shape());
    const auto from = x.data<float>(), gate = c.input(4).data<float>();
    const auto to = gated.mutable_data<float>();
    const size_t plane = static_cast<size_t>(in.height * in.width);
    for (size_t i = 0; i < to.size(); ++i) to[i] = from[i] * gate[i / plane];
    x = gated;
  }
  const Tensor weights = unpack_conv_weights(c.input(1), group_channels(c.node, in.channels), out_channels,
                                             w.kernel_height, w.kernel_width);
  const Tensor bias = Tensor::from<float>({out_channels}, c.input(2).data<float>());
  Tensor y = plain_conv(c, x, weights, bias, c.node.get_int("group", 1));
  const auto out = y.mutable_data<float>();
  if (c.has(3)) {
    const Tensor widened = c.input(3).to(DType::kF32), residual = is_nhwc(c.node, true) ? to_nchw(widened) : widened;
    std::ranges::transform(out, residual.data<float>(), out.begin(), std::plus{});
  }
  activate(c.node, y);
  write_output(c, y);
}

// --- DepthwiseConv(x, weight, bias) -> y = act(conv(x) + bias), mean of y over its pixels

std::vector<Inferred> infer_depthwise(const InferContext& c) {
  const Window2d w = window_2d(c.node);
  activation_steps_of(c.node);
  const bool nhwc = one_layout(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), nhwc);
  require_shape(c, 1, {w.kernel_height, w.kernel_width, in.channels});
  require_shape(c, 2, {in.channels});
  const Dims out = windowed(c.node, in, w);
  return {{one_type(c), out.shape(nhwc)}, {DType::kF32, Shape{in.batch, in.channels}}};
}

void evaluate_depthwise(const EvalContext& c) {
  const Tensor x = input_nchw(c, 0);
  const Dims in = dims_of(x.shape(), false);
  Tensor y = plain_conv(c, x, unpack_depthwise_weights(c.input(1)), c.input(2), in.channels);
  activate(c.node, y);
  write_output(c, y);
  if (c.outputs.size() < 2 || c.output(1).empty()) return;
  const size_t plane = static_cast<size_t>(y.dim(2) * y.dim(3));
  const auto values = y.data<float>();
  const auto means = c.output(1).mutable_data<float>();
  for (size_t i = 0; i < means.size(); ++i) {
    double sum = 0;
    for (size_t p = 0; p < plane; ++p) sum += values[i * plane + p];
    means[i] = static_cast<float>(sum / static_cast<double>(plane));
  }
}

// --- ExpandDepthwise(x, expand weight, expand bias, weight, bias) -> DepthwiseConv(act(Conv 1x1(x)))

/// The pointwise expansion as a node of its own.
ir::Node expansion_of(const ir::Node& node) {
  ir::Node expand{"Conv", std::string(ir::kFusedDomain), node.name, {0, 1, 2}, {3}, {}};
  expand.attributes = {{"out_channels", node.get_int("out_channels", 0)},
                       {"activation", node.get_string("expand_activation", "none")},
                       {"layout", node.get_string("layout", "nchw")}};
  return expand;
}

std::vector<Inferred> infer_expand_depthwise(const InferContext& c) {
  for (size_t i = 0; i < 5; ++i)
    if (!c.has(i)) node_error(c.node, "input {} is absent", i);
  for (const char* plain : {"expand_activation", "activation"}) activation_of(c.node, plain);
  const ir::Node expand = expansion_of(c.node);
  const std::vector<Inferred> expanded = infer_window_conv({expand, c.opset, c.inputs.first(3)});
  const InputInfo map{true, expanded[0].dtype, expanded[0].shape, nullptr};
  const InputInfo inputs[] = {map, c.inputs[3], c.inputs[4]};
  return infer_depthwise({c.node, c.opset, inputs});
}

void evaluate_expand_depthwise(const EvalContext& c) {
  const ir::Node expand = expansion_of(c.node);
  const std::vector<Tensor> expanded = evaluate_node(expand, c.opset, c.inputs.first(3), c.threads);
  const Tensor* inputs[] = {&expanded[0], c.inputs[3], c.inputs[4]};
  evaluate_depthwise({c.node, c.opset, inputs, c.outputs, c.threads});
}

// --- DepthwisePointwise(x, depthwise weight, depthwise bias, weight, bias, residual?)
//       -> Conv 1x1(act(depthwise(x))) + residual

ir::Node depthwise_of(const ir::Node& node) {
  ir::Node depthwise{"DepthwiseConv", std::string(ir::kFusedDomain), node.name, {0, 1, 2}, {3}, node.attributes};
  depthwise.attributes["activation"] = node.get_string("depthwise_activation", "none");
  for (const char* of_output : {"output_layout", "output_type"}) depthwise.attributes.erase(of_output);
  return depthwise;
}

/// The pointwise part, on the depthwise output.
ir::Node pointwise_of(const ir::Node& node) {
  ir::Node pointwise{"Conv", std::string(ir::kFusedDomain), node.name, {0, 1, 2, 3}, {4}, node.attributes};
  for (const char* others : {"kernel_shape", "strides", "pads", "group"}) pointwise.attributes.erase(others);
  return pointwise;
}

std::vector<Inferred> infer_depthwise_pointwise(const InferContext& c) {
  for (size_t i = 0; i < 5; ++i)
    if (!c.has(i)) node_error(c.node, "input {} is absent", i);
  const ir::Node depthwise = depthwise_of(c.node), pointwise = pointwise_of(c.node);
  const Inferred map = infer_depthwise({depthwise, c.opset, c.inputs.first(3)}).at(0);
  std::vector<InputInfo> inputs{{true, map.dtype, map.shape, nullptr}};
  inputs.insert(inputs.end(), c.inputs.begin() + 3, c.inputs.end());
  return infer_window_conv({pointwise, c.opset, inputs});
}

void evaluate_depthwise_pointwise(const EvalContext& c) {
  const ir::Node depthwise = depthwise_of(c.node), pointwise = pointwise_of(c.node);
  const std::vector<Tensor> map = evaluate_node(depthwise, c.opset, c.inputs.first(3), c.threads);
  std::vector<const Tensor*> inputs{&map[0]};
  inputs.insert(inputs.end(), c.inputs.begin() + 3, c.inputs.end());
  evaluate_window_conv({pointwise, c.opset, inputs, c.outputs, c.threads});
}

// --- SqueezeExcite(mean, reduce weight, reduce bias, expand weight, expand bias) -> gate [b, c]

std::vector<Inferred> infer_squeeze_excite(const InferContext& c) {
  activation_of(c.node);
  activation_steps_of(c.node, "gate_activation");
  const Shape mean = known_shape(c, 0, 2), reduce = known_shape(c, 1, 2);
  require_shape(c, 0, mean);
  require_shape(c, 1, {mean[1], reduce[1]});
  require_shape(c, 2, {reduce[1]});
  require_shape(c, 3, {reduce[1], mean[1]});
  require_shape(c, 4, {mean[1]});
  return {{DType::kF32, mean}};
}

/// y = act(x w + bias) for one row x.
Tensor dense(const ir::Node& node, std::string_view activation, std::span<const float> x, const Tensor& w,
             const Tensor& bias) {
  const auto weights = w.data<float>();
  Tensor y = Tensor::from<float>(bias.shape(), bias.data<float>());
  const auto sums = y.mutable_data<float>();
  for (size_t j = 0; j < sums.size(); ++j)
    for (size_t i = 0; i < x.size(); ++i) sums[j] += x[i] * weights[i * sums.size() + j];
  activate(node, y, activation);
  return y;
}

void evaluate_squeeze_excite(const EvalContext& c) {
  const auto mean = c.input(0).data<float>();
  const auto gate = c.output().mutable_data<float>();
  const size_t channels = static_cast<size_t>(c.input(0).dim(1));
  for (size_t row = 0; row * channels < mean.size(); ++row) {
    const Tensor reduced = dense(c.node, "activation", mean.subspan(row * channels, channels), c.input(1), c.input(2));
    const Tensor expanded = dense(c.node, "gate_activation", reduced.data<float>(), c.input(3), c.input(4));
    std::ranges::copy(expanded.data<float>(), gate.begin() + static_cast<ptrdiff_t>(row * channels));
  }
}

// --- MaxPool(x)

std::vector<Inferred> infer_fused_max_pool(const InferContext& c) {
  const bool nhwc = one_layout(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), nhwc);
  return {{one_type(c), windowed(c.node, in, window_2d(c.node)).shape(nhwc)}};
}

/// x with the node's pads around it.
Tensor zero_padded(const EvalContext& c, const Tensor& x) {
  const Window2d w = window_2d(c.node);
  const int64_t around[] = {0, 0, w.pad_top, w.pad_left, 0, 0, w.pad_bottom, w.pad_right};
  const Tensor pads = Tensor::from<int64_t>({8}, around);
  const ir::Node pad{"Pad", "", c.node.name, {0, 1}, {2}, {}};
  const Tensor* inputs[] = {&x, &pads};
  return evaluate_node(pad, c.opset, inputs, c.threads).at(0);
}

void evaluate_fused_max_pool(const EvalContext& c) {
  Tensor x = input_nchw(c, 0);
  ir::Node pool{"MaxPool", "", c.node.name, {0}, {1}, window_attributes(c.node)};
  if (c.node.get_int("zero_padding", 0) != 0) {
    x = zero_padded(c, x);
    pool.attributes["pads"] = std::vector<int64_t>{0, 0, 0, 0};
  }
  const Tensor* inputs[] = {&x};
  write_output(c, evaluate_node(pool, c.opset, inputs, c.threads).at(0));
}

// --- Mix(x0, x1, ...) -> y = act(sum of weights[i] * nearest(x[i]))

std::vector<Inferred> infer_mix(const InferContext& c) {
  activation_of(c.node);
  const auto weights = c.node.find("weights");
  const auto* values = weights != nullptr ? std::get_if<std::vector<float>>(weights) : nullptr;
  if (values == nullptr || values->size() != c.inputs.size())
    node_error(c.node, "attribute 'weights' does not hold one number for each of {} inputs", c.inputs.size());
  const std::vector<int64_t> size = bounded_ints(c.node, "size", {1, 1}, 1, 1 << 16);
  const bool nhwc = one_layout(c.node);
  const Dims first = dims_of(known_shape(c, 0, 4), nhwc);
  for (size_t i = 1; i < c.inputs.size(); ++i) {
    const Dims other = dims_of(known_shape(c, i, 4), nhwc);
    if (c.dtype(i) != c.dtype(0)) node_error(c.node, "inputs of two types");
    if (other.batch != first.batch || other.channels != first.channels)
      node_error(c.node, "inputs of the shapes {} and {}", shape_text(*c.shape(0)), shape_text(*c.shape(i)));
  }
  return {{one_type(c), Dims{first.batch, first.channels, size[0], size[1]}.shape(nhwc)}};
}

void evaluate_mix(const EvalContext& c) {
  const auto& weights = std::get<std::vector<float>>(*c.node.find("weights"));
  const bool nhwc = is_nhwc(c.node);
  const Dims out = dims_of(c.output().shape(), nhwc);
  Tensor y(DType::kF32, out.shape(false));
  const auto target = y.mutable_data<float>();
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const Tensor x = input_nchw(c, i);
    const Dims in = dims_of(x.shape(), false);
    const auto source = x.data<float>();
    size_t at = 0;
    for (int64_t plane = 0; plane < out.batch * out.channels; ++plane)
      for (int64_t row = 0; row < out.height; ++row)
        for (int64_t column = 0; column < out.width; ++column, ++at) {
          const int64_t from_row = row * in.height / out.height, from_column = column * in.width / out.width;
          target[at] +=
              weights[i] * source[static_cast<size_t>((plane * in.height + from_row) * in.width + from_column)];
        }
  }
  const Activation activation = activation_of(c.node);
  for (float& value : target) value = activate(activation, value);
  write_output(c, y);
}

// --- Activation(x)

std::vector<Inferred> infer_activation(const InferContext& c) {
  activation_of(c.node);
  if (c.dtype(0) != DType::kF32) node_error(c.node, "input 0 is {}, not float32", dtype_name(c.dtype(0)));
  return {{DType::kF32, c.shape(0)}};
}

void evaluate_activation(const EvalContext& c) {
  const Activation activation = activation_of(c.node);
  std::ranges::transform(c.input(0).data<float>(), c.output().mutable_data<float>().begin(),
                         [&](float x) { return activate(activation, x); });
}

}  // namespace

std::span<const Operator> fused_operators() {
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Activation", 1, 1, infer_activation, evaluate_activation},
      {ir::kFusedDomain, "Conv", 3, 5, infer_window_conv, evaluate_window_conv},
      {ir::kFusedDomain, "DepthwiseConv", 3, 3, infer_depthwise, evaluate_depthwise, 1, 2},
      {ir::kFusedDomain, "DepthwisePointwise", 5, 6, infer_depthwise_pointwise, evaluate_depthwise_pointwise},
      {ir::kFusedDomain, "ExpandDepthwise", 5, 5, infer_expand_depthwise, evaluate_expand_depthwise, 1, 2},
      {ir::kFusedDomain, "MaxPool", 1, 1, infer_fused_max_pool, evaluate_fused_max_pool},
      {ir::kFusedDomain, "Mix", 1, kMaxMixInputs, infer_mix, evaluate_mix},
      {ir::kFusedDomain, "SqueezeExcite", 5, 5, infer_squeeze_excite, evaluate_squeeze_excite},
  };
  return kOperators;
}

}  // namespace effdet::ops
