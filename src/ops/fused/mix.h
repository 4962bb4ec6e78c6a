// ai.effdet::Mix(x0, x1, ...): y = act(sum of weights[i] * x[i]), each map enlarged to the size of the output by its
// nearest pixels: a node of a BiFPN, or a plain sum.
#pragma once

#include <optional>

#include "ops/fused/activation_steps.h"
#include "ops/fused/layout.h"
#include "ops/fused/mix_inputs.h"
#include "ops/fused/quantization.h"

namespace effdet::ops {

struct MixAttributes {
  std::vector<float> weights;                 ///< of the inputs
  int64_t height = 1, width = 1;              ///< of the output
  Activation activation = Activation::kNone;  ///< without steps
  Layout layout = Layout::kPlain;
  std::vector<Quantization> x;    ///< of the inputs, where all are uint8; each has its own
  std::optional<Quantization> y;  ///< of the output, which is uint8 then too

  /// kBadInput for values that no Mix has.
  static MixAttributes of(const ir::Node& node);
};

}  // namespace effdet::ops
