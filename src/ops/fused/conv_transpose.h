// ai.effdet::ConvTranspose(x, weight, bias): y = act(transposed conv(x) + bias), of a size that is given.
#pragma once

#include "ops/fused/activation_steps.h"
#include "ops/fused/window.h"

namespace effdet::ops {

struct ConvTransposeAttributes {
  enum Input : size_t { kX, kWeights, kBias };

  Window2d window;                ///< of its pads, the first two count
  int64_t height = 1, width = 1;  ///< of the output
  ActivationSteps activation;
  Layout layout = Layout::kPlain;

  /// kBadInput for values that no ConvTranspose has.
  static ConvTransposeAttributes of(const ir::Node& node);
};

}  // namespace effdet::ops
