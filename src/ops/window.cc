// Sliding windows: attributes, padding, output size.
#include "ops/window.h"

#include <algorithm>

namespace effdet::ops {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

/// ONNX's auto_pad SAME: as many outputs as input / stride, the odd pixel of padding at the end (UPPER) or beginning.
void pad_same(Window& window, size_t axis, int64_t size, bool upper) {
  const int64_t outputs = ceil_div(size, window.stride[axis]);
  const int64_t total = std::max<int64_t>(0, (outputs - 1) * window.stride[axis] + window.extent(axis) - size);
  window.pad_begin[axis] = upper ? total / 2 : total - total / 2;
  window.pad_end[axis] = total - window.pad_begin[axis];
}

int64_t output_size(const ir::Node& node, const Window& window, size_t axis, int64_t size, bool ceil_mode) {
  const int64_t room = size + window.pad_begin[axis] + window.pad_end[axis] - window.extent(axis);
  if (room < 0)
    node_error(node, "kernel of extent {} does not fit into {} padded by {} and {}", window.extent(axis), size,
               window.pad_begin[axis], window.pad_end[axis]);
  const int64_t stride = window.stride[axis];
  int64_t outputs = (ceil_mode ? ceil_div(room, stride) : room / stride) + 1;
  // A last window that would begin in the end padding is dropped, as PyTorch and ONNX Runtime do.
  if (ceil_mode && (outputs - 1) * stride >= size + window.pad_begin[axis]) --outputs;
  return outputs;
}

}  // namespace

std::vector<int64_t> window_values(const ir::Node& node, std::string_view name, size_t count, int64_t otherwise,
                                   int64_t minimum) {
  const std::vector<int64_t> values = node.get_ints(name, std::vector<int64_t>(count, otherwise));
  if (values.size() != count) node_error(node, "{} has {} values, not {}", name, values.size(), count);
  for (int64_t value : values)
    if (value < minimum || value > kMaxWindowValue) node_error(node, "{} holds {}", name, value);
  return values;
}

WindowedShape window_of(const ir::Node& node, std::vector<int64_t> kernel, const Shape& spatial) {
  const size_t rank = spatial.size();
  if (rank < 1 || rank > 3)
    fail(ErrorCode::kUnsupported, "{}: {} spatial dimensions are not supported", node_label(node), rank);
  if (kernel.size() != rank) node_error(node, "kernel_shape has {} values, not {}", kernel.size(), rank);
  for (int64_t size : kernel)
    if (size < 1 || size > kMaxWindowValue) node_error(node, "kernel_shape holds {}", size);
  WindowedShape result;
  Window& window = result.window;
  window.kernel = std::move(kernel);
  window.stride = window_values(node, "strides", rank, 1, 1);
  window.dilation = window_values(node, "dilations", rank, 1, 1);
  const std::vector<int64_t> pads = window_values(node, "pads", 2 * rank, 0, 0);
  const std::string auto_pad = node.get_string("auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (!same && auto_pad != "NOTSET" && auto_pad != "VALID" && !auto_pad.empty())
    node_error(node, "auto_pad is '{}'", auto_pad);
  const bool explicit_pads = !same && auto_pad != "VALID";
  for (size_t axis = 0; axis < rank; ++axis) {
    window.pad_begin.push_back(explicit_pads ? pads[axis] : 0);
    window.pad_end.push_back(explicit_pads ? pads[rank + axis] : 0);
    if (spatial[axis] < 0) {
      result.output.push_back(-1);
      continue;
    }
    if (same) pad_same(window, axis, spatial[axis], auto_pad == "SAME_UPPER");
    result.output.push_back(output_size(node, window, axis, spatial[axis], node.get_int("ceil_mode", 0) != 0));
  }
  return result;
}

void prepend_axes(Window& window, size_t rank) {
  while (window.kernel.size() < rank) {
    for (auto* list : {&window.kernel, &window.stride, &window.dilation}) list->insert(list->begin(), 1);
    for (auto* list : {&window.pad_begin, &window.pad_end}) list->insert(list->begin(), 0);
  }
}

Shape three_dims(const Shape& shape) {
  Shape spatial(shape.begin() + 2, shape.end());
  spatial.insert(spatial.begin(), 3 - spatial.size(), 1);
  return spatial;
}

ValidRange valid_outputs(const Window& window, size_t axis, int64_t tap, int64_t size, int64_t outputs) {
  const int64_t first = tap * window.dilation[axis] - window.pad_begin[axis];  // input position of output 0
  const int64_t stride = window.stride[axis];
  const int64_t begin = std::clamp<int64_t>(ceil_div(-first, stride), 0, outputs);
  const int64_t end = std::clamp<int64_t>(ceil_div(size - first, stride), begin, outputs);
  return {begin, end};
}

}  // namespace effdet::ops
