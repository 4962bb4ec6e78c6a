// ai.effdet::ExpandDepthwise(x, expand weight, expand bias, weight, bias): DepthwiseConv(act(Conv 1x1(x))), and the
// mean of that over its pixels. The map between is never in memory as a whole.
#pragma once

#include "ops/fused/activation_steps.h"
#include "ops/fused/window.h"

namespace effdet::ops {

struct ExpandDepthwiseAttributes {
  enum Input : size_t { kX, kExpandWeights, kExpandBias, kWeights, kBias };

  Window2d window;                                                                   ///< of the depthwise layer
  int64_t out_channels = 0;                                                          ///< of both layers
  Activation expand_activation = Activation::kNone, activation = Activation::kNone;  ///< without steps
  Layout layout = Layout::kPlain;

  /// kBadInput for values that no ExpandDepthwise has.
  static ExpandDepthwiseAttributes of(const ir::Node& node);
};

}  // namespace effdet::ops
