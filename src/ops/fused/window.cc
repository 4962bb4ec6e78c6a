// The attributes kernel_shape, strides and pads, and the size of what a window makes.
#include "ops/fused/window.h"

#include <algorithm>

#include "ops/fused/maps.h"

namespace effdet::ops {

Window2d window_2d(const ir::Node& node) {
  const auto kernel = bounded_ints(node, "kernel_shape", {1, 1}, 1, kMaxWindow);
  const auto strides = bounded_ints(node, "strides", {1, 1}, 1, kMaxWindow);
  const auto pads = bounded_ints(node, "pads", {0, 0, 0, 0}, 0, kMaxWindow);
  const auto at = [](const std::vector<int64_t>& values, size_t i) { return static_cast<int>(values[i]); };
  return {at(kernel, 0), at(kernel, 1), at(strides, 0), at(strides, 1),
          at(pads, 0),   at(pads, 1),   at(pads, 2),    at(pads, 3)};
}

Dims windowed(const ir::Node& node, Dims in, const Window2d& w) {
  const int64_t height = in.height + w.pad_top + w.pad_bottom - w.kernel_height;
  const int64_t width = in.width + w.pad_left + w.pad_right - w.kernel_width;
  if (height < 0 || width < 0) node_error(node, "the kernel is larger than the padded input");
  if (std::max(w.pad_top, w.pad_bottom) >= w.kernel_height || std::max(w.pad_left, w.pad_right) >= w.kernel_width)
    node_error(node, "the padding is not smaller than the kernel");
  return {in.batch, in.channels, height / w.stride_y + 1, width / w.stride_x + 1};
}

std::map<std::string, ir::Attribute> window_attributes(const Window2d& w) {
  using Ints = std::vector<int64_t>;
  return {{"kernel_shape", Ints{w.kernel_height, w.kernel_width}},
          {"strides", Ints{w.stride_y, w.stride_x}},
          {"pads", Ints{w.pad_top, w.pad_left, w.pad_bottom, w.pad_right}}};
}

}  // namespace effdet::ops
