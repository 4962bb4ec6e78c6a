// ai.effdet::DepthwiseConv(x, weight, bias, weight_scale?): y = act(conv(x) + bias), and the mean of y over its pixels.
//
// With a weight_scale, one for each channel, the weights are int8, as Conv's are. Means of codes are exact.
#pragma once

#include <optional>

#include "ops/fused/activation_steps.h"
#include "ops/fused/quantization.h"
#include "ops/fused/window.h"

namespace effdet::ops {

struct DepthwiseConvAttributes {
  enum Input : size_t { kX, kWeights, kBias, kWeightScale };

  Window2d window;
  ActivationSteps activation;
  Layout layout = Layout::kPlain;
  std::optional<Quantization> x, y;  ///< of those that are uint8

  /// kBadInput for values that no DepthwiseConv has. The attribute of the activation may have another name where the
  /// layer is a part of a larger operator.
  static DepthwiseConvAttributes of(const ir::Node& node, std::string_view activation = "activation");
};

/// Shared with the operators that have such a layer inside.
std::vector<Inferred> infer_depthwise_conv(const InferContext& c);
void evaluate_depthwise_conv(const EvalContext& c);

}  // namespace effdet::ops
