// ConvTranspose: each input is spread by the kernel over the outputs.
#include "ops/conv_transpose.h"

#include <algorithm>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_conv_transpose(const InferContext& c) {
  require_float(c);
  require_same_types(c, 3);
  if (!known_rank(c, 0, 3) || !known_rank(c, 1, 3)) return {{c.dtype(0), std::nullopt}};
  const Shape &x = *c.shape(0), &w = *c.shape(1);
  if (x.size() != w.size() || x.size() > 5)
    node_error(c.node, "input of shape {} and weights of shape {}", shape_text(x), shape_text(w));
  const int64_t groups = c.node.get_int("group", 1);
  if (groups < 1 || (x[1] >= 0 && (x[1] % groups != 0 || (w[0] >= 0 && w[0] != x[1]))))
    node_error(c.node, "{} channels, weights of {} in {} groups", x[1], w[0], groups);
  if (!is_known(x) || !is_known(w)) return {{c.dtype(0), Shape(x.size(), -1)}};
  if (w[1] > kMaxElements || groups > kMaxElements) node_error(c.node, "{} groups of {} channels", groups, w[1]);
  const int64_t channels = w[1] * groups;
  if (c.shape(2) && *c.shape(2) != Shape{channels} && is_known(*c.shape(2)))
    node_error(c.node, "bias of shape {} for {} output channels", shape_text(*c.shape(2)), channels);
  Shape y{x[0], channels};
  const Shape spatial = transposed_window(c.node, x, w).output;
  y.insert(y.end(), spatial.begin(), spatial.end());
  return {{c.dtype(0), y}};
}

/// Adds one input plane, spread by one kernel, to an output plane.
template <typename T>
void spread(const Window& window, const Shape& in, const Shape& out, const T* x, const T* w, T* y) {
  for (int64_t id = 0; id < in[0]; ++id)
    for (int64_t ih = 0; ih < in[1]; ++ih)
      for (int64_t iw = 0; iw < in[2]; ++iw, ++x) {
        const T* weight = w;
        for (int64_t kd = 0; kd < window.kernel[0]; ++kd)
          for (int64_t kh = 0; kh < window.kernel[1]; ++kh)
            for (int64_t kw = 0; kw < window.kernel[2]; ++kw, ++weight) {
              const int64_t od = id * window.stride[0] + kd * window.dilation[0] - window.pad_begin[0],
                            oh = ih * window.stride[1] + kh * window.dilation[1] - window.pad_begin[1],
                            ow = iw * window.stride[2] + kw * window.dilation[2] - window.pad_begin[2];
              if (od < 0 || od >= out[0] || oh < 0 || oh >= out[1] || ow < 0 || ow >= out[2]) continue;
              y[(od * out[1] + oh) * out[2] + ow] += *x * *weight;
            }
      }
}

void evaluate_conv_transpose(const EvalContext& c) {
  const Shape &x = c.input(0).shape(), &w = c.input(1).shape(), &y = c.output().shape();
  Window window = transposed_window(c.node, x, w).window;
  prepend_axes(window, 3);
  const Shape in = three_dims(x), out = three_dims(y);
  const int64_t groups = c.node.get_int("group", 1), group_in = x[1] / groups, group_out = w[1];
  const int64_t in_plane = dims_product(in, 0, 3), out_plane = dims_product(out, 0, 3);
  const int64_t taps = dims_product(w, 2, w.size());
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    const T *from = c.input(0).data<T>().data(), *weights = c.input(1).data<T>().data();
    T* to = c.output().mutable_data<T>().data();
    for_each_index(c.threads, out_plane == 0 ? 0 : y[0] * y[1], [&](int64_t plane) {
      const int64_t image = plane / y[1], channel = plane % y[1], group = channel / group_out;
      T* target = to + plane * out_plane;
      if (c.has(2)) std::fill_n(target, out_plane, c.input(2).data<T>()[static_cast<size_t>(channel)]);
      for (int64_t k = group * group_in; k < (group + 1) * group_in; ++k)
        spread(window, in, out, from + (image * x[1] + k) * in_plane,
               weights + (k * group_out + channel % group_out) * taps, target);
    });
  });
}

}  // namespace

Transposed transposed_window(const ir::Node& node, const Shape& x, const Shape& w) {
  const size_t rank = x.size() - 2;
  Transposed result;
  Window& window = result.window;
  window.kernel.assign(w.begin() + 2, w.end());
  window.stride = window_values(node, "strides", rank, 1, 1);
  window.dilation = window_values(node, "dilations", rank, 1, 1);
  const std::vector<int64_t> pads = window_values(node, "pads", 2 * rank, 0, 0);
  const std::vector<int64_t> extra = window_values(node, "output_padding", rank, 0, 0);
  const bool sized = node.find("output_shape") != nullptr;
  std::vector<int64_t> wanted = sized ? node.get_ints("output_shape", {}) : std::vector<int64_t>(rank);
  if (wanted.size() == rank + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);  // some give batch and channels too
  if (wanted.size() != rank) node_error(node, "output_shape has {} values, not {}", wanted.size(), rank);
  const std::string auto_pad = node.get_string("auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (!same && auto_pad != "NOTSET" && auto_pad != "VALID" && !auto_pad.empty())
    node_error(node, "auto_pad is '{}'", auto_pad);
  for (size_t axis = 0; axis < rank; ++axis) {
    const int64_t in = x[axis + 2];
    if (window.kernel[axis] < 1 || window.kernel[axis] > kMaxWindowValue || in > kMaxWindowValue)
      node_error(node, "kernel {} over {}", window.kernel[axis], in);
    const int64_t full = window.stride[axis] * (in - 1) + extra[axis] + window.extent(axis);
    int64_t begin = auto_pad == "VALID" ? 0 : pads[axis], end = auto_pad == "VALID" ? 0 : pads[rank + axis];
    if (sized || same) {
      const int64_t target = sized ? wanted[axis] : in * window.stride[axis];
      const int64_t total = std::max<int64_t>(0, full - target);
      if (target < 1 || target > kMaxWindowValue) node_error(node, "output_shape holds {}", target);
      begin = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
      end = full - target - begin;  // below 0 where the output is larger than what is written
    }
    if (full - begin - end < 0) node_error(node, "the pads of dimension {} are larger than the output", axis);
    window.pad_begin.push_back(begin);
    window.pad_end.push_back(end);
    result.output.push_back(full - begin - end);
  }
  return result;
}

std::span<const Operator> conv_transpose_operators() {
  static constexpr Card kConvTranspose{.batch = Batch::kByImage, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "ConvTranspose", 2, 3, infer_conv_transpose, evaluate_conv_transpose, kConvTranspose},
  };
  return kOperators;
}

}  // namespace effdet::ops
