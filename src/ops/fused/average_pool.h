// ai.effdet::AveragePool(x): the mean under a window, of the pixels that it covers or of all its places.
#pragma once

#include "ops/fused/window.h"

namespace effdet::ops {

struct AveragePoolAttributes {
  Window2d window;
  bool count_include_pad = false;  ///< the mean is over all places of the window, where the padding counts as zeros
  Layout layout = Layout::kPlain;

  /// kBadInput for values that no AveragePool has.
  static AveragePoolAttributes of(const ir::Node& node);
};

}  // namespace effdet::ops
