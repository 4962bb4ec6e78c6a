// ai.effdet::MatMul as the convolution that it is.
#pragma once

#include "ops/op.h"

namespace effdet::ops {

/// The fused Conv that computes the same of maps [1, 1, rows, k].
ir::Node as_pointwise_conv(const ir::Node& matmul);
/// [..., k] as such a map. Precondition: a known shape of at least one dimension.
Shape as_pixels(const Shape& shape);

}  // namespace effdet::ops
