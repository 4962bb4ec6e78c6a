// ai.effdet::DepthwiseConv(x, weight, bias): y = act(conv(x) + bias), and the mean of y over its pixels.
#pragma once

#include "ops/fused/activation_steps.h"
#include "ops/fused/window.h"

namespace effdet::ops {

struct DepthwiseConvAttributes {
  enum Input : size_t { kX, kWeights, kBias };

  Window2d window;
  ActivationSteps activation;
  Layout layout = Layout::kPlain;

  /// kBadInput for values that no DepthwiseConv has. The attribute of the activation may have another name where the
  /// layer is a part of a larger operator.
  static DepthwiseConvAttributes of(const ir::Node& node, std::string_view activation = "activation");
};

/// Shared with the operators that have such a layer inside.
std::vector<Inferred> infer_depthwise_conv(const InferContext& c);
void evaluate_depthwise_conv(const EvalContext& c);

}  // namespace effdet::ops
