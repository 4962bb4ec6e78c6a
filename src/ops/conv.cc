// Conv, by plain loops.
#include "ops/conv.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

constexpr int64_t kMaxDim = int64_t{1} << 34;

/// A convolution's numbers, with fewer spatial dimensions seen as three with leading ones of 1.
struct Conv {
  Window window;
  int64_t groups, batch, in_channels, out_channels;
  Shape in, out;  ///< depth, height, width
  bool pointwise = false;

  int64_t in_plane() const { return dims_product(in, 0, 3); }
  int64_t out_plane() const { return dims_product(out, 0, 3); }
};

Conv describe(const ir::Node& node, const Shape& x, const Shape& w, const Shape& y) {
  Conv conv{conv_window(node, x, w).window, node.get_int("group", 1), x[0], x[1], w[0], three_dims(x), three_dims(y)};
  Window& win = conv.window;
  prepend_axes(win, 3);
  // A pointwise convolution treats the image as one long row, which makes the inner loop long.
  const std::vector<int64_t> ones{1, 1, 1}, zeros{0, 0, 0};
  conv.pointwise = win.kernel == ones && win.stride == ones && win.pad_begin == zeros && win.pad_end == zeros;
  if (conv.pointwise) conv.in = conv.out = {1, 1, conv.in_plane()};
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

/// Outputs of one channel that `vectors` vectors hold, from the first one on, while all input channels add to them: the
/// same sums in the same order as by add_row, without a way through memory for each.
template <int vectors, typename T>
void pointwise_block(const T* x, int64_t plane, const T* weights, int64_t channels, T* y) {
  typedef T Vec __attribute__((vector_size(16)));
  constexpr int64_t kLanes = sizeof(Vec) / sizeof(T);
  Vec sum[vectors];
  std::memcpy(sum, y, sizeof sum);
  for (int64_t k = 0; k < channels; ++k) {
    const T* source = x + k * plane;
#pragma GCC unroll 8
    for (int i = 0; i < vectors; ++i) {
      Vec value;
      std::memcpy(&value, source + i * kLanes, sizeof value);
      sum[i] += weights[k] * value;
    }
  }
  std::memcpy(y, sum, sizeof sum);
}

/// Adds weighted inputs, whose channels are `stride` apart, to `count` outputs of one channel.
template <typename T>
void add_pointwise(const T* x, int64_t stride, const T* weights, int64_t channels, T* y, int64_t count) {
  constexpr int64_t kLanes = 16 / sizeof(T);
  int64_t i = 0;
  for (; i + 8 * kLanes <= count; i += 8 * kLanes) pointwise_block<8>(x + i, stride, weights, channels, y + i);
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) pointwise_block<4>(x + i, stride, weights, channels, y + i);
  for (; i + kLanes <= count; i += kLanes) pointwise_block<1>(x + i, stride, weights, channels, y + i);
  for (int64_t k = 0; k < channels && i < count; ++k) add_row(weights[k], x + k * stride + i, 1, count - i, y + i);
}

/// Most of a network's work, and what a check of two networks waits for. The inputs of one place lie pages apart, which
/// caches bear badly: a few places are gathered once for all output channels.
template <typename T>
void convolve_pointwise(const Conv& conv, const T* input, const T* weights, const T* bias, T* output,
                        ThreadPool* threads) {
  constexpr int64_t kPlaces = 8 * 16 / sizeof(T);
  const int64_t plane = conv.in_plane(), parts = (plane + kPlaces - 1) / kPlaces;
  const int64_t group_in = conv.in_channels / conv.groups, group_out = conv.out_channels / conv.groups;
  for_each_index(threads, conv.batch * conv.groups * parts, [&](int64_t task) {
    const int64_t group = task / parts, begin = task % parts * kPlaces;  // groups of all images
    const int64_t count = std::min(kPlaces, plane - begin);
    std::vector<T> gathered(static_cast<size_t>(group_in * count));
    for (int64_t k = 0; k < group_in; ++k)
      std::copy_n(input + (group * group_in + k) * plane + begin, count, gathered.data() + k * count);
    for (int64_t k = 0; k < group_out; ++k) {
      const int64_t channel = group % conv.groups * group_out + k;
      T* out = output + (group * group_out + k) * plane + begin;
      std::fill_n(out, count, bias == nullptr ? T(0) : bias[channel]);
      add_pointwise(gathered.data(), count, weights + channel * group_in, group_in, out, count);
    }
  });
}

/// A row, column or slice of the kernel: the outputs that it reaches, and the input position of output 0.
struct Tap {
  ValidRange outputs;
  int64_t first;
};

std::vector<Tap> taps_of(const Conv& conv, size_t axis) {
  const Window& win = conv.window;
  std::vector<Tap> taps;
  for (int64_t tap = 0; tap < win.kernel[axis]; ++tap)
    taps.push_back(
        {valid_outputs(win, axis, tap, conv.in[axis], conv.out[axis]), tap * win.dilation[axis] - win.pad_begin[axis]});
  return taps;
}

/// One input channel's part of one output plane, for one tap of the kernel.
template <typename T>
void add_tap(const Conv& conv, const Tap& depth, const Tap& row, const Tap& column, const T* x, T weight, T* y) {
  const std::vector<int64_t>& stride = conv.window.stride;
  const auto [begin, end] = column.outputs;
  if (begin == end) return;
  for (int64_t od = depth.outputs.begin; od < depth.outputs.end; ++od)
    for (int64_t oh = row.outputs.begin; oh < row.outputs.end; ++oh) {
      const int64_t id = od * stride[0] + depth.first, ih = oh * stride[1] + row.first;
      const int64_t iw = begin * stride[2] + column.first;
      add_row(weight, x + ((id * conv.in[1] + ih) * conv.in[2] + iw), stride[2], end - begin,
              y + (od * conv.out[1] + oh) * conv.out[2] + begin);
    }
}

template <typename T>
void convolve_typed(const Conv& conv, const Tensor& x, const Tensor& w, const Tensor* bias, Tensor& y,
                    ThreadPool* threads) {
  const T *input = x.data<T>().data(), *weights = w.data<T>().data();
  T* output = y.mutable_data<T>().data();
  const int64_t in_plane = conv.in_plane(), out_plane = conv.out_plane();
  // A kernel without channels may claim any size.
  const auto taps = [&](size_t axis) { return w.numel() == 0 ? std::vector<Tap>() : taps_of(conv, axis); };
  const std::vector<Tap> depths = taps(0), rows = taps(1), columns = taps(2);
  const int64_t group_in = conv.in_channels / conv.groups, group_out = conv.out_channels / conv.groups;
  constexpr int64_t kLargePlane = 1024;  // smaller ones lie in the cache as they are, and would be too few tasks
  if (conv.pointwise && w.numel() > 0 && out_plane >= kLargePlane && group_out > 1)
    return convolve_pointwise(conv, input, weights, bias == nullptr ? nullptr : bias->data<T>().data(), output,
                              threads);
  for_each_index(threads, out_plane == 0 ? 0 : conv.batch * conv.out_channels, [&](int64_t plane) {
    const int64_t image = plane / conv.out_channels, channel = plane % conv.out_channels;
    const int64_t first = channel / group_out * group_in;
    T* out = output + plane * out_plane;
    std::fill_n(out, out_plane, bias == nullptr ? T(0) : bias->data<T>()[channel]);
    const T* weight = weights + channel * (w.numel() / conv.out_channels);
    if (conv.pointwise && w.numel() > 0)
      return add_pointwise(input + (image * conv.in_channels + first) * in_plane, in_plane, weight, group_in, out,
                           out_plane);
    for (int64_t k = 0; k < group_in; ++k)
      for (const Tap& depth : depths)
        for (const Tap& row : rows)
          for (const Tap& column : columns)
            add_tap(conv, depth, row, column, input + (image * conv.in_channels + first + k) * in_plane, *weight++,
                    out);
  });
}

void check_channels(const InferContext& c, const Shape& x, const Shape& w, const std::optional<Shape>& bias) {
  const int64_t groups = c.node.get_int("group", 1);
  if (groups < 1 || groups > kMaxDim) node_error(c.node, "group is {}", groups);
  if (w[0] >= 0 && w[0] % groups != 0) node_error(c.node, "{} output channels in {} groups", w[0], groups);
  if (x[1] >= 0 && w[1] >= 0 && (w[1] > kMaxDim || x[1] != w[1] * groups))
    node_error(c.node, "the input has {} channels, the weights {} in {} groups", x[1], w[1], groups);
  if (bias && (bias->size() != 1 || (bias->at(0) != w[0] && bias->at(0) >= 0 && w[0] >= 0)))
    node_error(c.node, "bias of shape {} for {} output channels", shape_text(*bias), w[0]);
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
  return {{c.dtype(0), conv_shape(c, *c.shape(0), *c.shape(1), c.shape(2))}};
}

void evaluate_conv(const EvalContext& c) {
  convolve(c, c.input(0), c.input(1), c.has(2) ? &c.input(2) : nullptr, c.output());
}

}  // namespace

Shape conv_shape(const InferContext& c, const Shape& x, const Shape& w, const std::optional<Shape>& bias) {
  if (x.size() != w.size() || x.size() < 3)
    node_error(c.node, "input of shape {} and weights of shape {}", shape_text(x), shape_text(w));
  check_channels(c, x, w, bias);
  if (!is_known({w.begin() + 2, w.end()})) return Shape(x.size(), -1);
  check_kernel_shape(c, w);
  Shape y{x[0], w[0]};
  const Shape spatial = conv_window(c.node, x, w).output;
  y.insert(y.end(), spatial.begin(), spatial.end());
  return y;
}

WindowedShape conv_window(const ir::Node& node, const Shape& x, const Shape& w) {
  return window_of(node, {w.begin() + 2, w.end()}, {x.begin() + 2, x.end()});
}

void convolve(const EvalContext& c, const Tensor& x, const Tensor& w, const Tensor* bias, Tensor& y) {
  const Conv conv = describe(c.node, x.shape(), w.shape(), y.shape());
  with_float_type(c.node, x.dtype(),
                  [&](auto type) { convolve_typed<decltype(type)>(conv, x, w, bias, y, c.threads); });
}

namespace {

int64_t conv_products(const CostContext& c) {
  const Shape& weights = c.inputs[1];
  return c.elements(c.outputs[0]) * (c.elements(weights) / std::max<int64_t>(1, weights[0]));
}

}  // namespace

std::span<const Operator> conv_operators() {
  static constexpr Card kConv{.batch = Batch::kByImage, .heavy = true, .products = conv_products};
  static constexpr Operator kOperators[] = {
      {"", "Conv", 2, 3, infer_conv, evaluate_conv, kConv},
  };
  return kOperators;
}

}  // namespace effdet::ops
