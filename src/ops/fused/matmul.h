// ai.effdet::MatMul(x, weight, bias, residual?): y = act(x W + bias + residual), a pointwise Conv of a map of one row.
#pragma once

#include "ops/fused/conv.h"

namespace effdet::ops {

/// The fused Conv that computes the same of maps [1, 1, rows, k]; its attributes are ConvAttributes.
ir::Node as_pointwise_conv(const ir::Node& matmul);
/// [..., k] as such a map. Precondition: a known shape of at least one dimension.
Shape as_pixels(const Shape& shape);

}  // namespace effdet::ops
