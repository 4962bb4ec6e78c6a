// Layouts of 4-d maps: what a fused operator's attributes `layout` and `output_layout` say, and the transposes between
// them.
#pragma once

#include <string_view>

#include "ops/op.h"

namespace effdet::ops {

/// Dimensions of a map, whichever way it lies.
struct Dims {
  int64_t batch, channels, height, width;
  Shape shape(Layout layout) const;
};
/// kBadInput for a shape that has not four dimensions.
Dims dims_of(const Shape& shape, Layout layout);

/// How an operator's maps lie: those that it reads, and the one that it makes (and its residual, which lies likewise).
struct MapLayouts {
  Layout input = Layout::kPlain, output = Layout::kPlain;
  /// Of the attributes `layout` and `output_layout`: "nchw" or "nhwc". The second is as the first by default, as the
  /// first is "nchw". kBadInput for another name.
  static MapLayouts of(const ir::Node& node);
};
/// For operators that leave the layout as it is; kBadInput where the attributes differ.
Layout one_layout(const ir::Node& node);
/// Writes the attributes: `output_layout` only where it differs.
void set_layouts(ir::Node& node, const MapLayouts& layouts);

/// A float32 map transposed between NCHW and NHWC.
Tensor to_nhwc(const Tensor& x);
Tensor to_nchw(const Tensor& x);

}  // namespace effdet::ops
