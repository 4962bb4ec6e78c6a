// ai.effdet::DepthwisePointwise(x, depthwise weight, depthwise bias, weight, bias, residual?): Conv
// 1x1(DepthwiseConv(x)) with a residual. The map between is never in memory as a whole.
#pragma once

#include "ops/fused/conv.h"

namespace effdet::ops {

struct DepthwisePointwiseAttributes {
  enum Input : size_t { kX, kDepthwiseWeights, kDepthwiseBias, kWeights, kBias, kResidual };

  Window2d window;  ///< of the depthwise layer
  int64_t out_channels = 0;
  ActivationSteps depthwise_activation, activation;
  MapLayouts layouts;
  std::optional<DType> output_type;  ///< nothing: as the input's
  Products products = Products::kAny;

  /// kBadInput for values that no DepthwisePointwise has.
  static DepthwisePointwiseAttributes of(const ir::Node& node);
};

}  // namespace effdet::ops
