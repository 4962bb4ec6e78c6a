// The sliding window of convolutions and pools: attributes, padding, output size.
#pragma once

#include "ops/op.h"

namespace effdet::ops {

/// A window over the spatial dimensions, outermost first (three: depth, height, width).
struct Window {
  std::vector<int64_t> kernel, stride, dilation, pad_begin, pad_end;

  /// Input positions that the window spans along an axis, with dilation.
  int64_t extent(size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
};

/// The window of a node over `spatial` (dimensions of -1 are unknown), with the kernel given (Conv takes it from the
/// weights), and the output's spatial dimensions. auto_pad is resolved into pads where the size is known.
/// kBadInput for strides, dilations and kernels below 1, negative pads, and kernels above the padded input.
struct WindowedShape {
  Window window;
  Shape output;
};
WindowedShape window_of(const ir::Node& node, std::vector<int64_t> kernel, const Shape& spatial);

/// The largest stride, dilation, padding and dimension of a window's operators: keeps every product and sum of two of
/// them in 64 bits.
inline constexpr int64_t kMaxWindowValue = int64_t{1} << 30;

/// An attribute of `count` integers (absent: all `otherwise`), each from minimum to kMaxWindowValue; kBadInput for
/// others.
std::vector<int64_t> window_values(const ir::Node& node, std::string_view name, size_t count, int64_t otherwise,
                                   int64_t minimum);

/// Adds axes of size 1 in front until there are `rank`: one loop then serves every number of dimensions.
void prepend_axes(Window& window, size_t rank);

/// The one to three spatial dimensions of [N, C, ...] as three, leading ones of 1.
Shape three_dims(const Shape& shape);

/// Output positions [begin, end) whose window element `tap` lies inside an input of `size`, along one axis.
struct ValidRange {
  int64_t begin, end;
};
ValidRange valid_outputs(const Window& window, size_t axis, int64_t tap, int64_t size, int64_t outputs);

}  // namespace effdet::ops
