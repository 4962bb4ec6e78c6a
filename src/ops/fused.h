// Operators of the domain ai.effdet, which fusion makes out of ONNX operators (docs/fused-operators.md has the table).
//
// Activations lie NCHW or NHWC, as the attributes `layout` (of the input) and `output_layout` (of the output; by
// default the same) say: "nchw" or "nhwc". Maps are float32 or bfloat16, and packed weights of the type of the map that
// they multiply; all arithmetic is in float32. `activation` is the name of one of kActivations (base/activation.h).
// Weights are as ONNX has them, or packed for the kernels.
#pragma once

#include <string_view>

#include "base/activation.h"
#include "ops/elementwise_program.h"
#include "ops/op.h"
#include "ops/panel.h"

namespace effdet::ops {

/// The activation that a node's `attribute` names; kBadInput for a name that is none of fused operators.
Activation activation_of(const ir::Node& node, std::string_view attribute = "activation");

/// What follows the sums of a layer that may have more than an activation: its attribute is the activation's name, and
/// steps behind it that compute one value from one: "hardswish; mul x0 0.5; add t0 0.1".
struct ActivationSteps {
  Activation activation = Activation::kNone;
  ElementwiseProgram steps;  ///< of the activation's result, x0; none for most layers
};
/// kBadInput for what is neither.
ActivationSteps activation_steps_of(const ir::Node& node, std::string_view attribute = "activation");
/// Appends a program of one input to such an attribute.
void append_steps(ir::Node& node, std::string_view attribute, const ElementwiseProgram& steps);

/// A list attribute with as many values as its default, each in [low, high]; kBadInput otherwise.
std::vector<int64_t> bounded_ints(const ir::Node& node, std::string_view attribute, std::vector<int64_t> otherwise,
                                  int64_t low, int64_t high);

constexpr int64_t panel_count(int64_t channels) { return (channels + kPanelChannels - 1) / kPanelChannels; }
/// Channels with those that fill up the last panel.
constexpr int64_t padded_to_panels(int64_t channels) { return panel_count(channels) * kPanelChannels; }

/// The most output channels that a Conv has.
inline constexpr int64_t kMaxOutChannels = 1 << 20;

/// The most inputs that a Mix has.
inline constexpr size_t kMaxMixInputs = 4;

/// A 2-d sliding window, as the fused operators' attributes kernel_shape, strides and pads give it.
struct Window2d {
  int kernel_height, kernel_width, stride_y, stride_x, pad_top, pad_left, pad_bottom, pad_right;
};
/// The largest kernel, stride and padding of a window.
inline constexpr int64_t kMaxWindow = 1024;
/// The largest dimension of a map, and the most values under one window: what kernels count in an int, times 16.
inline constexpr int64_t kMaxExtent = 1 << 24;
/// Throws Error(kBadInput) where an attribute has another length, or a value out of [1, kMaxWindow] ([0, kMaxWindow]
/// for pads).
Window2d window_2d(const ir::Node& node);

/// Input channels that each output of a Conv reads: those of its group.
int64_t group_channels(const ir::Node& conv, int64_t in_channels);

/// Dimensions of a 4-d activation, whichever way it lies.
struct Dims {
  int64_t batch, channels, height, width;
  Shape shape(bool nhwc) const;
};
Dims dims_of(const Shape& shape, bool nhwc);
/// The type of a node's output map: that of its input unless the attribute `output_type` names another; kBadInput for
/// names other than float32 and bfloat16.
DType output_type(const ir::Node& node, DType input_type);
/// Whether the node's input (or, with output = true, its output) lies NHWC; kBadInput for an unknown name.
bool is_nhwc(const ir::Node& node, bool output = false);

/// OIHW weights [o, i, kh, kw] as panels [ceil(o / 16)][kh * kw * i][16], zero-padded; and back.
/// (i: input channels of a group.)
Tensor pack_conv_weights(const Tensor& weights);
Tensor unpack_conv_weights(const Tensor& packed, int64_t channels_in, int64_t channels_out, int64_t kernel_height,
                           int64_t kernel_width);
/// Panels [p, k, 16] as bfloat16 [p, k rounded up to pairs, 16], where the two values of a pair of k lie side by side
/// ([p][k / 2][16][2]); and back, with the padding.
Tensor pack_pairs(const Tensor& panels);
Tensor unpack_pairs(const Tensor& pairs);
/// Depthwise weights [c, 1, kh, kw] as [kh, kw, c], and back.
Tensor pack_depthwise_weights(const Tensor& weights);
Tensor unpack_depthwise_weights(const Tensor& packed);

/// x transposed between NCHW and NHWC.
Tensor to_nhwc(const Tensor& x);
Tensor to_nchw(const Tensor& x);

}  // namespace effdet::ops
