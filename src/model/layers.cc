// Adds convolutions, pools and resizes to a graph with PyTorch's names and TensorFlow's or symmetric padding.
#include "model/layers.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace effdet::model {
namespace {

struct AxisWindow {
  int64_t pad_begin, pad_end, size;
};

/// Padding and output size of a sliding window along one axis.
AxisWindow axis_window(int64_t size, int kernel, int stride, Padding padding) {
  if (padding == Padding::kNone) return {0, 0, (size - kernel) / stride + 1};
  if (padding == Padding::kSymmetric) {
    const int64_t pad = (stride - 1 + kernel - 1) / 2;
    return {pad, pad, (size + 2 * pad - kernel) / stride + 1};
  }
  const int64_t out = (size + stride - 1) / stride;
  const int64_t total = std::max<int64_t>((out - 1) * stride + kernel - size, 0);
  return {total / 2, total - total / 2, out};
}

std::vector<int64_t> pads(const AxisWindow& h, const AxisWindow& w) {
  return {h.pad_begin, w.pad_begin, h.pad_end, w.pad_end};
}

}  // namespace

std::string node_path(const std::string& module) {
  std::string path = "/" + module;
  std::replace(path.begin(), path.end(), '.', '/');
  return path;
}

Feature Layers::input(const std::string& name, int64_t channels, int64_t height, int64_t width) {
  return {graph_.add_input(name, DType::kF32, {batch_, channels, height, width}), channels, height, width};
}

ir::ValueId Layers::weight(const std::string& name, const Shape& shape) {
  return graph_.add_constant(name, weights_.tensor(name, shape));
}

ir::ValueId Layers::shared_constant(const std::string& name, const Tensor& tensor) {
  const auto [found, is_new] = shared_.try_emplace(name, ir::kNoValue);
  if (is_new) found->second = graph_.add_constant(name, tensor);
  return found->second;
}

Feature Layers::append(const char* op, const std::string& node, std::vector<ir::ValueId> inputs, Feature shape,
                       std::map<std::string, ir::Attribute> attributes) {
  shape.id = graph_.add_node(op, node + "/" + op, std::move(inputs), std::move(attributes));
  graph_.value(shape.id).shape = Shape{batch_, shape.channels, shape.height, shape.width};
  return shape;
}

ConvWeights Layers::conv_weights(const std::string& module, int64_t in, int64_t out, int kernel, bool bias,
                                 int64_t groups) {
  ConvWeights weights{.out_channels = out, .kernel = kernel, .groups = groups};
  weights.weight = weight(module + ".weight", {out, in / groups, kernel, kernel});
  if (bias) weights.bias = weight(module + ".bias", {out});
  return weights;
}

ConvWeights Layers::depthwise_weights(const std::string& module, int64_t channels, int kernel) {
  return conv_weights(module, channels, channels, kernel, false, channels);
}

FilterWeights Layers::filter_weights(const std::string& module, int64_t in, int64_t out, bool bias, bool separable) {
  if (!separable) return {std::nullopt, conv_weights(module + ".conv", in, out, 3, bias)};
  const ConvWeights depthwise = depthwise_weights(module + ".conv_dw", in, 3);
  return {depthwise, conv_weights(module + ".conv_pw", in, out, 1, bias)};
}

BatchNormWeights Layers::batch_norm_weights(const std::string& module, int64_t channels, float epsilon) {
  const Shape shape = {channels};
  BatchNormWeights weights;
  weights.scale = weight(module + ".weight", shape);
  weights.bias = weight(module + ".bias", shape);
  weights.mean = weight(module + ".running_mean", shape);
  weights.variance = weight(module + ".running_var", shape);
  weights.epsilon = epsilon;
  return weights;
}

Feature Layers::conv(const Feature& x, const ConvWeights& weights, int stride, Padding padding,
                     const std::string& node) {
  const AxisWindow h = axis_window(x.height, weights.kernel, stride, padding);
  const AxisWindow w = axis_window(x.width, weights.kernel, stride, padding);
  std::vector<ir::ValueId> inputs = {x.id, weights.weight};
  if (weights.bias != ir::kNoValue) inputs.push_back(weights.bias);
  const int64_t kernel = weights.kernel;
  return append("Conv", node, std::move(inputs), {ir::kNoValue, weights.out_channels, h.size, w.size},
                {{"dilations", std::vector<int64_t>{1, 1}},
                 {"group", weights.groups},
                 {"kernel_shape", std::vector<int64_t>{kernel, kernel}},
                 {"pads", pads(h, w)},
                 {"strides", std::vector<int64_t>{stride, stride}}});
}

Feature Layers::filter(const Feature& x, const FilterWeights& weights, Padding padding, const std::string& node) {
  if (!weights.depthwise) return conv(x, weights.last, 1, padding, node + "/conv");
  const Feature filtered = conv(x, *weights.depthwise, 1, padding, node + "/conv_dw");
  return conv(filtered, weights.last, 1, padding, node + "/conv_pw");
}

Feature Layers::batch_norm(const Feature& x, const BatchNormWeights& weights, const std::string& node) {
  return append("BatchNormalization", node, {x.id, weights.scale, weights.bias, weights.mean, weights.variance}, x,
                {{"epsilon", weights.epsilon}});
}

Feature Layers::activate(const Feature& x, Activation activation, const std::string& node) {
  // What opset 11 does not have is spelled out, as PyTorch's exporter does.
  const auto times = [&](const Feature& gate) { return append("Mul", node, {x.id, gate.id}, x); };
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kSwish:
      return times(append("Sigmoid", node, {x.id}, x));
    case Activation::kRelu:
      return append("Relu", node, {x.id}, x);
    case Activation::kRelu6: {
      const ir::ValueId low = shared_constant("relu6.min", Tensor::scalar(0.0f));
      const ir::ValueId high = shared_constant("relu6.max", Tensor::scalar(6.0f));
      return append("Clip", node, {x.id, low, high}, x);
    }
    case Activation::kLeakyRelu:
      return append("LeakyRelu", node, {x.id}, x, {{"alpha", kLeakySlope}});
    case Activation::kHardSwish:
      return times(hard_sigmoid(x, node));
    case Activation::kMish:
      return times(append("Tanh", node, {append("Softplus", node, {x.id}, x).id}, x));
    case Activation::kElu:
      return append("Elu", node, {x.id}, x, {{"alpha", 1.0f}});
    case Activation::kSigmoid:
      return append("Sigmoid", node, {x.id}, x);
    case Activation::kTanh:
      return append("Tanh", node, {x.id}, x);
    case Activation::kHardSigmoid:
      return hard_sigmoid(x, node);
    default:  // of fused operators alone
      break;
  }
  fail(ErrorCode::kInternal, "an activation without a meaning");
}

Feature Layers::hard_sigmoid(const Feature& x, const std::string& node) {
  return append("HardSigmoid", node, {x.id}, x, {{"alpha", 1.0f / 6.0f}, {"beta", 0.5f}});
}

Feature Layers::add(const Feature& a, const Feature& b, const std::string& node) {
  return append("Add", node, {a.id, b.id}, a);
}

Feature Layers::scale(const Feature& x, float factor, const std::string& factor_name, const std::string& node) {
  return append("Mul", node, {x.id, graph_.add_constant(factor_name, Tensor::scalar(factor))}, x);
}

Feature Layers::squeeze_excite(const Feature& x, const std::string& module, int64_t squeezed, Activation activation,
                               bool hard_gate) {
  const std::string node = node_path(module);
  const ConvWeights reduce = conv_weights(module + ".conv_reduce", x.channels, squeezed, 1, true);
  const ConvWeights expand = conv_weights(module + ".conv_expand", squeezed, x.channels, 1, true);
  Feature gate = append("ReduceMean", node, {x.id}, {ir::kNoValue, x.channels, 1, 1},
                        {{"axes", std::vector<int64_t>{2, 3}}, {"keepdims", int64_t{1}}});
  gate = conv(gate, reduce, 1, Padding::kSame, node + "/conv_reduce");
  gate = activate(gate, activation, node + "/act1");
  gate = conv(gate, expand, 1, Padding::kSame, node + "/conv_expand");
  gate = hard_gate ? hard_sigmoid(gate, node + "/gate") : append("Sigmoid", node + "/gate", {gate.id}, gate);
  return append("Mul", node, {x.id, gate.id}, x);
}

Feature Layers::max_pool(const Feature& x, int kernel_h, int kernel_w, int stride_h, int stride_w, Padding padding,
                         const std::string& node) {
  const AxisWindow h = axis_window(x.height, kernel_h, stride_h, padding);
  const AxisWindow w = axis_window(x.width, kernel_w, stride_w, padding);
  return append("MaxPool", node, {x.id}, {ir::kNoValue, x.channels, h.size, w.size},
                {{"kernel_shape", std::vector<int64_t>{kernel_h, kernel_w}},
                 {"pads", pads(h, w)},
                 {"strides", std::vector<int64_t>{stride_h, stride_w}}});
}

Feature Layers::average_pool(const Feature& x, int kernel_h, int kernel_w, int stride_h, int stride_w, Padding padding,
                             const std::string& node) {
  const AxisWindow h = axis_window(x.height, kernel_h, stride_h, padding);
  const AxisWindow w = axis_window(x.width, kernel_w, stride_w, padding);
  return append("AveragePool", node, {x.id}, {ir::kNoValue, x.channels, h.size, w.size},
                {{"count_include_pad", int64_t{1}},
                 {"kernel_shape", std::vector<int64_t>{kernel_h, kernel_w}},
                 {"pads", pads(h, w)},
                 {"strides", std::vector<int64_t>{stride_h, stride_w}}});
}

Feature Layers::pad(const Feature& x, int kernel_h, int kernel_w, int stride_h, int stride_w, Padding padding,
                    const std::string& node) {
  const AxisWindow h = axis_window(x.height, kernel_h, stride_h, padding);
  const AxisWindow w = axis_window(x.width, kernel_w, stride_w, padding);
  const std::array<int64_t, 8> around = {0, 0, h.pad_begin, w.pad_begin, 0, 0, h.pad_end, w.pad_end};
  const ir::ValueId pads = shared_constant("pad." + shape_text(around), Tensor::from<int64_t>({8}, around));
  return append("Pad", node, {x.id, pads},
                {ir::kNoValue, x.channels, x.height + h.pad_begin + h.pad_end, x.width + w.pad_begin + w.pad_end},
                {{"mode", std::string("constant")}});
}

Feature Layers::resize(const Feature& x, int64_t height, int64_t width, bool bilinear, const std::string& node) {
  // roi and unused scales are empty tensors, as opset 11 wants them.
  const ir::ValueId none = shared_constant("resize.none", Tensor(DType::kF32, {0}));
  std::vector<ir::ValueId> inputs = {x.id, none};
  if (height == 2 * x.height && width == 2 * x.width) {  // scales, so that the graph can be given other sizes
    constexpr std::array<float, 4> kDouble = {1, 1, 2, 2};
    inputs.push_back(shared_constant("resize.double", Tensor::from<float>({4}, kDouble)));
  } else {
    const std::array<int64_t, 4> sizes = {batch_, x.channels, height, width};
    inputs.push_back(none);
    inputs.push_back(shared_constant("resize.to_" + shape_text(sizes), Tensor::from<int64_t>({4}, sizes)));
  }
  std::map<std::string, ir::Attribute> attributes;
  attributes["coordinate_transformation_mode"] = std::string(bilinear ? "half_pixel" : "asymmetric");
  attributes["mode"] = std::string(bilinear ? "linear" : "nearest");
  if (!bilinear) attributes["nearest_mode"] = std::string("floor");
  return append("Resize", node, std::move(inputs), {ir::kNoValue, x.channels, height, width}, std::move(attributes));
}

std::vector<Feature> Layers::split(const Feature& x, const std::vector<int64_t>& channels, const std::string& node) {
  std::vector<Feature> parts;
  const auto part = [&](int64_t count) { return Feature{ir::kNoValue, count, x.height, x.width}; };
  parts.push_back(append("Split", node, {x.id}, part(channels.at(0)), {{"axis", int64_t{1}}, {"split", channels}}));
  ir::Node& made = graph_.nodes.back();
  for (size_t i = 1; i < channels.size(); ++i) {
    Feature next = part(channels[i]);
    next.id = graph_.add_value({.name = node + "/Split_" + std::to_string(i),
                                .dtype = DType::kF32,
                                .shape = Shape{batch_, next.channels, next.height, next.width}});
    made.outputs.push_back(next.id);
    parts.push_back(next);
  }
  return parts;
}

Feature Layers::concat(const std::vector<Feature>& parts, const std::string& node) {
  Feature whole = parts.at(0);
  std::vector<ir::ValueId> inputs = {whole.id};
  for (size_t i = 1; i < parts.size(); ++i) {
    inputs.push_back(parts[i].id);
    whole.channels += parts[i].channels;
  }
  return append("Concat", node, std::move(inputs), whole, {{"axis", int64_t{1}}});
}

void Layers::output(const Feature& x, const std::string& name) {
  graph_.value(x.id).name = name;
  graph_.outputs.push_back(x.id);
}

}  // namespace effdet::model
