// ai.effdet::Gate(x, gate): y = x * gate of its channel, the product of squeeze-excite, where no Conv takes it as its
// input's gate: quantized maps are rounded on the way.
#pragma once

#include <optional>

#include "ops/fused/quantization.h"

namespace effdet::ops {

struct GateAttributes {
  enum Input : size_t { kX, kGate };

  Layout layout = Layout::kPlain;
  std::optional<Quantization> x, y;  ///< of maps of uint8

  /// kBadInput for values that no Gate has.
  static GateAttributes of(const ir::Node& node);
};

}  // namespace effdet::ops
