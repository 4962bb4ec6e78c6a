#include "ops/conv.h"

#include <algorithm>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

constexpr int64_t kMaxDim = int64_t{1} << 34;

/// A convolution's numbers with one-dimensional ones seen as two-dimensional of height 1.
struct Conv {
  Window window;
  int64_t groups, batch, in_channels, in_h, in_w, out_channels, out_h, out_w;
};

void prepend_height(Window& window) {
  window.kernel.insert(window.kernel.begin(), 1);
  window.stride.insert(window.stride.begin(), 1);
  window.dilation.insert(window.dilation.begin(), 1);
  window.pad_begin.insert(window.pad_begin.begin(), 0);
  window.pad_end.insert(window.pad_end.begin(), 0);
}

Conv describe(const ir::Node& node, const Shape& x, const Shape& w, const Shape& y) {
  Conv conv{conv_window(node, x, w).window, node.get_int("group", 1), x[0], x[1], 1, x.back(), w[0], 1, y.back()};
  if (x.size() == 3) {
    prepend_height(conv.window);
  } else {
    conv.in_h = x[2], conv.out_h = y[2];
  }
  // A pointwise convolution treats the image as one long row, which makes the inner loop long.
  const Window& win = conv.window;
  const std::vector<int64_t> ones{1, 1}, zeros{0, 0};
  if (win.kernel == ones && win.stride == ones && win.pad_begin == zeros && win.pad_end == zeros) {
    conv.in_w *= conv.in_h, conv.out_w = conv.in_w;
    conv.in_h = conv.out_h = 1;
  }
  return conv;
}

/// Adds count weighted inputs, `stride` apart, to a row of outputs.
template <typename T>
void add_row(T weight, const T* source, int64_t stride, int64_t count, T* row) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) row[i] += weight * source[i];
  } else {
    for (int64_t i = 0; i < count; ++i) row[i] += weight * source[i * stride];
  }
}

/// One input channel's part of one output plane.
template <typename T>
void add_plane(const Conv& conv, const T* x, const T* w, T* y) {
  const Window& win = conv.window;
  for (int64_t kh = 0; kh < win.kernel[0]; ++kh) {
    const ValidRange rows = valid_outputs(win, 0, kh, conv.in_h, conv.out_h);
    for (int64_t kw = 0; kw < win.kernel[1]; ++kw) {
      const ValidRange columns = valid_outputs(win, 1, kw, conv.in_w, conv.out_w);
      if (columns.begin == columns.end) continue;
      const T weight = w[kh * win.kernel[1] + kw];
      for (int64_t oh = rows.begin; oh < rows.end; ++oh) {
        const int64_t ih = oh * win.stride[0] + kh * win.dilation[0] - win.pad_begin[0];
        const int64_t iw = columns.begin * win.stride[1] + kw * win.dilation[1] - win.pad_begin[1];
        add_row(weight, x + (ih * conv.in_w + iw), win.stride[1], columns.end - columns.begin,
                y + oh * conv.out_w + columns.begin);
      }
    }
  }
}

template <typename T>
void convolve_typed(const Conv& conv, const Tensor& x, const Tensor& w, const Tensor* bias, Tensor& y,
                    ThreadPool* threads) {
  const T *input = x.data<T>().data(), *weights = w.data<T>().data();
  T* output = y.mutable_data<T>().data();
  const int64_t in_plane = conv.in_h * conv.in_w, out_plane = conv.out_h * conv.out_w;
  const int64_t taps = conv.window.kernel[0] * conv.window.kernel[1];
  const int64_t group_in = conv.in_channels / conv.groups, group_out = conv.out_channels / conv.groups;
  for_each_index(threads, out_plane == 0 ? 0 : conv.batch * conv.out_channels, [&](int64_t plane) {
    const int64_t image = plane / conv.out_channels, channel = plane % conv.out_channels;
    const int64_t first = channel / group_out * group_in;
    T* out = output + plane * out_plane;
    std::fill_n(out, out_plane, bias == nullptr ? T(0) : bias->data<T>()[channel]);
    for (int64_t k = 0; k < group_in; ++k)
      add_plane(conv, input + (image * conv.in_channels + first + k) * in_plane,
                weights + (channel * group_in + k) * taps, out);
  });
}

void check_channels(const InferContext& c, const Shape& x, const Shape& w) {
  const int64_t groups = c.node.get_int("group", 1);
  if (groups < 1 || groups > kMaxDim) node_error(c.node, "group is {}", groups);
  if (w[0] >= 0 && w[0] % groups != 0) node_error(c.node, "{} output channels in {} groups", w[0], groups);
  if (x[1] >= 0 && w[1] >= 0 && (w[1] > kMaxDim || x[1] != w[1] * groups))
    node_error(c.node, "the input has {} channels, the weights {} in {} groups", x[1], w[1], groups);
  if (c.shape(2) && (c.shape(2)->size() != 1 || (c.shape(2)->at(0) != w[0] && c.shape(2)->at(0) >= 0 && w[0] >= 0)))
    node_error(c.node, "bias of shape {} for {} output channels", shape_text(*c.shape(2)), w[0]);
}

void check_kernel_shape(const InferContext& c, const Shape& w) {
  const std::vector<int64_t> kernel(w.begin() + 2, w.end());
  const std::vector<int64_t> declared = c.node.get_ints("kernel_shape", kernel);
  if (is_known(kernel) && declared != kernel)
    node_error(c.node, "kernel_shape {} is not the weights' {}", shape_text(declared), shape_text(kernel));
}

std::vector<Inferred> infer_conv(const InferContext& c) {
  require_float(c);
  require_same_types(c, 3);
  if (!known_rank(c, 0, 3) || !known_rank(c, 1, 3)) return {{c.dtype(0), std::nullopt}};
  const Shape &x = *c.shape(0), &w = *c.shape(1);
  if (x.size() != w.size())
    node_error(c.node, "input of shape {} and weights of shape {}", shape_text(x), shape_text(w));
  check_channels(c, x, w);
  if (!is_known({w.begin() + 2, w.end()})) return {{c.dtype(0), Shape(x.size(), -1)}};
  check_kernel_shape(c, w);
  Shape y{x[0], w[0]};
  const Shape spatial = conv_window(c.node, x, w).output;
  y.insert(y.end(), spatial.begin(), spatial.end());
  return {{c.dtype(0), y}};
}

void evaluate_conv(const EvalContext& c) {
  convolve(c, c.input(0), c.input(1), c.has(2) ? &c.input(2) : nullptr, c.output());
}

const Operator kOperators[] = {{"", "Conv", 2, 3, infer_conv, evaluate_conv}};

}  // namespace

WindowedShape conv_window(const ir::Node& node, const Shape& x, const Shape& w) {
  return window_of(node, {w.begin() + 2, w.end()}, {x.begin() + 2, x.end()});
}

void convolve(const EvalContext& c, const Tensor& x, const Tensor& w, const Tensor* bias, Tensor& y) {
  const Conv conv = describe(c.node, x.shape(), w.shape(), y.shape());
  with_float_type(c.node, x.dtype(),
                  [&](auto type) { convolve_typed<decltype(type)>(conv, x, w, bias, y, c.threads); });
}

std::span<const Operator> conv_operators() { return kOperators; }

}  // namespace effdet::ops
