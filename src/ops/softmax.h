// Which values of a tensor Softmax and its kin work on together.
#pragma once

#include "ops/util.h"

namespace effdet::ops {

/// Before opset 13 the input is flattened to two dimensions at `axis` (default 1); since then one axis (default -1)
/// counts.
AxisView softmax_view(const ir::Node& node, int64_t opset, const Shape& shape);

}  // namespace effdet::ops
