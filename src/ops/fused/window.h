// The 2-d sliding window of fused operators: the attributes kernel_shape, strides and pads.
#pragma once

#include <map>
#include <string>

#include "ops/fused/layout.h"

namespace effdet::ops {

/// The largest kernel, stride and padding of a window.
inline constexpr int64_t kMaxWindow = 1024;

struct Window2d {
  int kernel_height, kernel_width, stride_y, stride_x, pad_top, pad_left, pad_bottom, pad_right;

  bool operator==(const Window2d&) const = default;
  int taps() const { return kernel_height * kernel_width; }
  /// Whether it looks at one pixel at a time, every one: a 1x1 kernel without strides and padding.
  bool is_pointwise() const { return *this == Window2d{1, 1, 1, 1, 0, 0, 0, 0}; }
};
/// Throws Error(kBadInput) where an attribute has another length, or a value out of [1, kMaxWindow] ([0, kMaxWindow]
/// for pads).
Window2d window_2d(const ir::Node& node);

/// Output height and width of a window over the input; kBadInput where it does not fit.
Dims windowed(const ir::Node& node, Dims in, const Window2d& w);
/// The window as attributes: for the ONNX operator, which knows further ones that fused operators do not have.
std::map<std::string, ir::Attribute> window_attributes(const Window2d& w);

}  // namespace effdet::ops
