// What operators that only move elements read: for kernels that move them otherwise.
#pragma once

#include <optional>

#include "ops/op.h"

namespace effdet::ops {

/// The output's elements, in order, as a tensor of `shape`: element [i0, i1, ...] is input element
/// offset + i0 * strides[0] + ...
struct StridedView {
  Shape shape;
  std::vector<int64_t> strides;  ///< of each dimension, in elements
  int64_t offset = 0;
};

StridedView transpose_view(const ir::Node& node, const Shape& x);
StridedView depth_to_space_view(const ir::Node& node, const Shape& x);
StridedView space_to_depth_view(const ir::Node& node, const Shape& x);
/// Nothing where a list is not known.
std::optional<StridedView> slice_view(const InferContext& c);

}  // namespace effdet::ops
