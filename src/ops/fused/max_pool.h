// ai.effdet::MaxPool(x): the largest value under a window, of the pixels or of the padding too.
#pragma once

#include <optional>

#include "ops/fused/quantization.h"
#include "ops/fused/window.h"

namespace effdet::ops {

struct MaxPoolAttributes {
  Window2d window;
  bool zero_padding = false;  ///< the padding counts, as zeros
  Layout layout = Layout::kPlain;
  std::optional<Quantization> x;  ///< of maps of uint8; what it makes has the same

  /// kBadInput for values that no MaxPool has.
  static MaxPoolAttributes of(const ir::Node& node);
};

}  // namespace effdet::ops
