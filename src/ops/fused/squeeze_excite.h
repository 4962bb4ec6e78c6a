// ai.effdet::SqueezeExcite(mean, reduce weight, reduce bias, expand weight, expand bias): the gate [b, c] of a map's
// channels, from their means.
#pragma once

#include "ops/fused/activation_steps.h"

namespace effdet::ops {

struct SqueezeExciteAttributes {
  enum Input : size_t { kMean, kReduceWeights, kReduceBias, kExpandWeights, kExpandBias };

  Activation activation = Activation::kNone;  ///< of the reduced channels, without steps
  ActivationSteps gate_activation;            ///< of the gate

  /// kBadInput for values that no SqueezeExcite has.
  static SqueezeExciteAttributes of(const ir::Node& node);
};

}  // namespace effdet::ops
