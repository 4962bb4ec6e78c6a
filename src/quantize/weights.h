// int8 weights with one scale an output channel, and int32 biases.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/tensor.h"

namespace effdet::quantize {

/// weights[o, ...] is about codes[o, ...] * scales[o], codes from -127 to 127.
struct ChannelCodes {
  Tensor codes;   ///< int8, in the weights' shape
  Tensor scales;  ///< float32 [o], all positive
};

/// Rounds float32 weights [o, ...], the largest of a channel to 127 or -127.
ChannelCodes quantize_weights(const Tensor& weights);

/// What rounding its weights adds to the mean of each output channel of a convolution, given the mean of each channel
/// of its input. Padding counts as the mean. Shapes are ONNX's: [o, i / groups, kh, kw].
std::vector<double> mean_errors(const Tensor& weights, const ChannelCodes& codes, std::span<const double> input_means,
                                int64_t groups);

/// A bias in int32, whose scale is the product of the input's and the weights' of its channel.
struct BiasCodes {
  Tensor codes;   ///< int32 [o]
  Tensor scales;  ///< float32 [o]
};
BiasCodes quantize_bias(std::span<const double> bias, float input_scale, const Tensor& weight_scales);

/// Makes the scales of channels so large that their biases fit into int32, where they do not: of a channel whose
/// weights are all close to 0.
void widen_for_bias(const Tensor& weights, std::span<const double> bias, float input_scale, ChannelCodes& codes);

}  // namespace effdet::quantize
