// ai.effdet::Conv(x, weight, bias, residual?, gate?, weight_scale?): y = act(conv(x * gate) + bias + residual).
//
// With a weight_scale, one for each output channel, the weights are int8. On a map of uint8 the bias is int32, in steps
// of the products, and the sums are exact (ops/fused/requantize.h); on floats the weights only take less memory.
#pragma once

#include <optional>

#include "ops/fused/activation_steps.h"
#include "ops/fused/quantization.h"
#include "ops/fused/window.h"

namespace effdet::ops {

/// How products of float32 are made (the attribute `product`): by a scheme that takes fewer, where a kernel has it.
enum class Products : uint8_t {
  kAny,     ///< the kernel chooses
  kDirect,  ///< one by one
  kStrassen,
  kWinograd,
};
/// kBadInput for the name of no scheme.
Products products_of(const ir::Node& node);

struct ConvAttributes {
  /// Inputs by their place.
  enum Input : size_t { kX, kWeights, kBias, kResidual, kGate, kWeightScale };

  Window2d window;
  int64_t group = 1, out_channels = 0;
  ActivationSteps activation;
  MapLayouts layouts;
  std::optional<DType> output_type;  ///< nothing: as the input's
  Products products = Products::kAny;
  std::optional<Quantization> x, y, residual;  ///< of those that are uint8

  /// kBadInput for values that no Conv has.
  static ConvAttributes of(const ir::Node& node);
  /// Input channels that each output reads: those of its group.
  int64_t group_channels(int64_t in_channels) const { return in_channels / group; }
  /// Values under one window.
  int64_t depth(int64_t in_channels) const { return window.taps() * group_channels(in_channels); }
  /// Whether each output pixel is of one input pixel, and of all its channels.
  bool is_pointwise() const { return group == 1 && window.is_pointwise(); }
};

/// Shared with the operators that have such a Conv inside.
std::vector<Inferred> infer_fused_conv(const InferContext& c);
void evaluate_fused_conv(const EvalContext& c);
/// The ONNX Conv of NCHW x by OIHW weights, with the window of a fused node.
Tensor onnx_conv(const EvalContext& c, const Window2d& window, const Tensor& x, const Tensor& weights,
                 const Tensor& bias, int64_t group);

}  // namespace effdet::ops
