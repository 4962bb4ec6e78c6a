#include "ops/fused_util.h"

#include <algorithm>
#include <cmath>

namespace effdet::ops {

void require_shape(const InferContext& c, size_t i, const Shape& shape, DType dtype) {
  if (!c.has(i)) return;
  if (c.dtype(i) != dtype) node_error(c.node, "input {} is {}, not {}", i, dtype_name(c.dtype(i)), dtype_name(dtype));
  if (c.shape(i) && *c.shape(i) != shape)
    node_error(c.node, "input {} has the shape {}, not {}", i, shape_text(*c.shape(i)), shape_text(shape));
}

const Shape& known_shape(const InferContext& c, size_t i, size_t rank) {
  const auto impossible = [](int64_t dim) { return dim < 1 || dim > kMaxExtent; };
  if (!c.shape(i) || c.shape(i)->size() != rank || std::ranges::any_of(*c.shape(i), impossible))
    node_error(c.node, "input {} has no known shape of {} dimensions between 1 and {}", i, rank, kMaxExtent);
  return *c.shape(i);
}

DType map_type(const InferContext& c, size_t i) {
  const DType dtype = c.dtype(i);
  if (dtype != DType::kF32 && dtype != DType::kBF16)
    node_error(c.node, "input {} is {}, neither float32 nor bfloat16", i, dtype_name(dtype));
  return dtype;
}

DType one_type(const InferContext& c) {
  const DType dtype = map_type(c, 0);
  if (output_type(c.node, dtype) != dtype) node_error(c.node, "the output's type is not the input's");
  return dtype;
}

bool one_layout(const ir::Node& node) {
  const bool nhwc = is_nhwc(node);
  if (is_nhwc(node, true) != nhwc) node_error(node, "the output's layout is not the input's");
  return nhwc;
}

Dims windowed(const ir::Node& node, Dims in, const Window2d& w) {
  const int64_t height = in.height + w.pad_top + w.pad_bottom - w.kernel_height;
  const int64_t width = in.width + w.pad_left + w.pad_right - w.kernel_width;
  if (height < 0 || width < 0) node_error(node, "the kernel is larger than the padded input");
  if (std::max(w.pad_top, w.pad_bottom) >= w.kernel_height || std::max(w.pad_left, w.pad_right) >= w.kernel_width)
    node_error(node, "the padding is not smaller than the kernel");
  return {in.batch, in.channels, height / w.stride_y + 1, width / w.stride_x + 1};
}

std::map<std::string, ir::Attribute> window_attributes(const ir::Node& node) {
  using Ints = std::vector<int64_t>;
  const Window2d w = window_2d(node);
  return {{"kernel_shape", Ints{w.kernel_height, w.kernel_width}},
          {"strides", Ints{w.stride_y, w.stride_x}},
          {"pads", Ints{w.pad_top, w.pad_left, w.pad_bottom, w.pad_right}}};
}

void activate(const ir::Node& node, Tensor& y, std::string_view attribute) {
  const ActivationSteps all = activation_steps_of(node, attribute);
  for (float& value : y.mutable_data<float>()) value = activate(all.activation, value);
  if (!all.steps.empty()) y = run_elementwise(node, all.steps, {&y, 1});
}

void write_output(const EvalContext& c, const Tensor& y) {
  const Tensor laid = (is_nhwc(c.node, true) ? to_nhwc(y) : y).to(c.output().dtype());
  if (laid.dtype() == DType::kBF16) {
    std::ranges::copy(laid.data<Bf16>(), c.output().mutable_data<Bf16>().begin());
  } else {
    std::ranges::copy(laid.data<float>(), c.output().mutable_data<float>().begin());
  }
}

Tensor input_nchw(const EvalContext& c, size_t i) {
  const Tensor x = c.input(i).to(DType::kF32);
  return is_nhwc(c.node) ? to_nchw(x) : x;
}

}  // namespace effdet::ops
