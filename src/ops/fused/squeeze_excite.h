// ai.effdet::SqueezeExcite(mean, reduce weight, reduce bias, expand weight, expand bias, reduce scale?, expand scale?):
// the gate [b, c] of a map's channels, from their means. With scales, one for each output, the weights are int8.
#pragma once

#include "ops/fused/activation_steps.h"

namespace effdet::ops {

struct SqueezeExciteAttributes {
  enum Input : size_t { kMean, kReduceWeights, kReduceBias, kExpandWeights, kExpandBias, kReduceScale, kExpandScale };

  Activation activation = Activation::kNone;  ///< of the reduced channels, without steps
  ActivationSteps gate_activation;            ///< of the gate

  /// kBadInput for values that no SqueezeExcite has.
  static SqueezeExciteAttributes of(const ir::Node& node);
};

/// int8 weights [in, out] times the scales of their outputs.
Tensor dequantized_matrix(const Tensor& codes, const Tensor& scales);

}  // namespace effdet::ops
