#include "ops/fused.h"

#include <algorithm>

namespace effdet::ops {
namespace {

/// Calls copy(from, to) with the flat indices of every element of dims in the NCHW and the NHWC order.
template <typename F>
void for_layouts(const Dims& d, F&& copy) {
  const int64_t plane = d.height * d.width;
  for (int64_t b = 0; b < d.batch; ++b)
    for (int64_t c = 0; c < d.channels; ++c)
      for (int64_t p = 0; p < plane; ++p) copy((b * d.channels + c) * plane + p, (b * plane + p) * d.channels + c);
}

/// The fused operators' activation of a name that the node's `attribute` gives.
Activation activation_named(const ir::Node& node, std::string_view attribute, std::string_view name) {
  const std::span fused(kActivations, kFusedActivations);
  const auto found = std::ranges::find(fused, name, &ActivationRow::name);
  if (found == fused.end()) node_error(node, "attribute '{}' is '{}', no known activation", attribute, name);
  return found->activation;
}

}  // namespace

std::vector<int64_t> bounded_ints(const ir::Node& node, std::string_view attribute, std::vector<int64_t> otherwise,
                                  int64_t low, int64_t high) {
  const size_t count = otherwise.size();
  std::vector<int64_t> values = node.get_ints(attribute, std::move(otherwise));
  if (values.size() != count) node_error(node, "attribute '{}' has {} values, not {}", attribute, values.size(), count);
  for (int64_t value : values)
    if (value < low || value > high) node_error(node, "attribute '{}' has the value {}", attribute, value);
  return values;
}

Activation activation_of(const ir::Node& node, std::string_view attribute) {
  return activation_named(node, attribute, node.get_string(attribute, "none"));
}

ActivationSteps activation_steps_of(const ir::Node& node, std::string_view attribute) {
  const std::string text = node.get_string(attribute, "none");
  const size_t end = text.find("; ");
  ActivationSteps result;
  result.activation = activation_named(node, attribute, std::string_view(text).substr(0, end));
  if (end != text.npos) result.steps = parse_elementwise(node, std::string_view(text).substr(end + 2), 1);
  return result;
}

void append_steps(ir::Node& node, std::string_view attribute, const ElementwiseProgram& steps) {
  const size_t before = activation_steps_of(node, attribute).steps.size();
  ElementwiseProgram moved = steps;
  for (ElementwiseStep& step : moved)
    for (ElementwiseOperand& operand : step.operands) {
      if (operand.kind == ElementwiseOperand::Kind::kStep) operand.index += before;
      if (operand.kind == ElementwiseOperand::Kind::kInput && before > 0)
        operand = ElementwiseOperand::step(before - 1);
    }
  node.attributes[std::string(attribute)] =
      fmt::format("{}; {}", node.get_string(attribute, "none"), elementwise_text(moved));
}

Window2d window_2d(const ir::Node& node) {
  const auto kernel = bounded_ints(node, "kernel_shape", {1, 1}, 1, kMaxWindow);
  const auto strides = bounded_ints(node, "strides", {1, 1}, 1, kMaxWindow);
  const auto pads = bounded_ints(node, "pads", {0, 0, 0, 0}, 0, kMaxWindow);
  const auto at = [](const std::vector<int64_t>& values, size_t i) { return static_cast<int>(values[i]); };
  return {at(kernel, 0), at(kernel, 1), at(strides, 0), at(strides, 1),
          at(pads, 0),   at(pads, 1),   at(pads, 2),    at(pads, 3)};
}

int64_t group_channels(const ir::Node& conv, int64_t in_channels) {
  const int64_t groups = conv.get_int("group", 1), out_channels = conv.get_int("out_channels", 0);
  if (groups == 1) return in_channels;
  if (groups < 1 || in_channels % groups != 0 || out_channels % groups != 0 ||
      out_channels / groups % kPanelChannels != 0)
    node_error(conv, "{} groups of {} input and {} output channels", groups, in_channels, out_channels);
  return in_channels / groups;
}

Shape Dims::shape(bool nhwc) const {
  return nhwc ? Shape{batch, height, width, channels} : Shape{batch, channels, height, width};
}

Dims dims_of(const Shape& shape, bool nhwc) {
  if (shape.size() != 4) bad_input("an activation of shape {} has not 4 dimensions", shape_text(shape));
  return nhwc ? Dims{shape[0], shape[3], shape[1], shape[2]} : Dims{shape[0], shape[1], shape[2], shape[3]};
}

DType output_type(const ir::Node& node, DType input_type) {
  const std::string name = node.get_string("output_type", dtype_name(input_type));
  for (const DType dtype : {DType::kF32, DType::kBF16})
    if (name == dtype_name(dtype)) return dtype;
  node_error(node, "output_type '{}' is neither float32 nor bfloat16", name);
}

bool is_nhwc(const ir::Node& node, bool output) {
  std::string layout = node.get_string("layout", "nchw");
  if (output) layout = node.get_string("output_layout", layout);
  if (layout != "nchw" && layout != "nhwc") node_error(node, "layout '{}' is neither nchw nor nhwc", layout);
  return layout == "nhwc";
}

Tensor pack_conv_weights(const Tensor& weights) {
  const int64_t out = weights.dim(0), in = weights.dim(1), taps = weights.dim(2) * weights.dim(3);
  const int64_t panels = panel_count(out);
  Tensor packed(DType::kF32, {panels, taps * in, kPanelChannels});
  const auto source = weights.data<float>();
  const auto target = packed.mutable_data<float>();
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t row = (o / kPanelChannels) * taps * in + t * in + i;
        target[static_cast<size_t>(row * kPanelChannels + o % kPanelChannels)] =
            source[static_cast<size_t>((o * in + i) * taps + t)];
      }
  return packed;
}

Tensor pack_pairs(const Tensor& panels) {
  const int64_t count = panels.dim(0), depth = panels.dim(1), padded = (depth + 1) / 2 * 2;
  const Tensor rounded = panels.to(DType::kBF16);
  const auto source = rounded.data<Bf16>();
  Tensor pairs(DType::kBF16, {count, padded, kPanelChannels});
  const auto target = pairs.mutable_data<Bf16>();
  for (int64_t row = 0; row < count * depth; ++row)
    for (int64_t lane = 0; lane < kPanelChannels; ++lane) {
      const int64_t panel = row / depth, k = row % depth;
      target[static_cast<size_t>(((panel * padded + k / 2 * 2) * kPanelChannels) + 2 * lane + k % 2)] =
          source[static_cast<size_t>(row * kPanelChannels + lane)];
    }
  return pairs;
}

Tensor unpack_pairs(const Tensor& pairs) {
  Tensor panels(DType::kBF16, pairs.shape());
  const auto source = pairs.data<Bf16>();
  const auto target = panels.mutable_data<Bf16>();
  for (size_t i = 0; i < source.size(); ++i) {
    const size_t lanes = static_cast<size_t>(kPanelChannels), pair = i / (2 * lanes), lane = i / 2 % lanes;
    target[(2 * pair + i % 2) * lanes + lane] = source[i];
  }
  return panels.to(DType::kF32);
}

Tensor unpack_conv_weights(const Tensor& packed, int64_t in, int64_t out, int64_t kernel_height, int64_t kernel_width) {
  if (packed.dtype() == DType::kBF16)
    return unpack_conv_weights(unpack_pairs(packed), in, out, kernel_height, kernel_width);
  const int64_t taps = kernel_height * kernel_width;
  Tensor weights(DType::kF32, {out, in, kernel_height, kernel_width});
  const auto source = packed.data<float>();
  const auto target = weights.mutable_data<float>();
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t row = (o / kPanelChannels) * packed.dim(1) + t * in + i;
        target[static_cast<size_t>((o * in + i) * taps + t)] =
            source[static_cast<size_t>(row * kPanelChannels + o % kPanelChannels)];
      }
  return weights;
}

Tensor pack_depthwise_weights(const Tensor& weights) {
  const Dims as_image{1, weights.dim(0), weights.dim(2), weights.dim(3)};
  return to_nhwc(weights.reshaped(as_image.shape(false)))
      .reshaped({as_image.height, as_image.width, as_image.channels});
}

Tensor unpack_depthwise_weights(const Tensor& packed) {
  const Dims as_image{1, packed.dim(2), packed.dim(0), packed.dim(1)};
  return to_nchw(packed.reshaped(as_image.shape(true)))
      .reshaped({as_image.channels, 1, as_image.height, as_image.width});
}

Tensor to_nhwc(const Tensor& x) {
  const Dims dims = dims_of(x.shape(), false);
  Tensor y(DType::kF32, dims.shape(true));
  const auto from = x.data<float>();
  const auto to = y.mutable_data<float>();
  for_layouts(dims,
              [&](int64_t nchw, int64_t nhwc) { to[static_cast<size_t>(nhwc)] = from[static_cast<size_t>(nchw)]; });
  return y;
}

Tensor to_nchw(const Tensor& x) {
  const Dims dims = dims_of(x.shape(), true);
  Tensor y(DType::kF32, dims.shape(false));
  const auto from = x.data<float>();
  const auto to = y.mutable_data<float>();
  for_layouts(dims,
              [&](int64_t nchw, int64_t nhwc) { to[static_cast<size_t>(nchw)] = from[static_cast<size_t>(nhwc)]; });
  return y;
}

}  // namespace effdet::ops
