// Pools: over windows and over whole maps.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"
#include "ops/window.h"

namespace effdet::ops {
namespace {

Inferred infer_pool_of(const InferContext& c) {
  const std::vector<int64_t> kernel = c.node.get_ints("kernel_shape", {});
  if (!known_rank(c, 0, 3)) return {c.dtype(0), std::nullopt};
  const Shape& x = *c.shape(0);
  const Shape spatial = window_of(c.node, kernel, {x.begin() + 2, x.end()}).output;
  Shape y{x[0], x[1]};
  y.insert(y.end(), spatial.begin(), spatial.end());
  return {c.dtype(0), y};
}

std::vector<Inferred> infer_pool(const InferContext& c) {
  require_float(c);
  return {infer_pool_of(c)};
}

/// The part of a window that lies in [0, size), as kernel positions [begin, end).
ValidRange taps_inside(const Window& window, size_t axis, int64_t output, int64_t size) {
  const int64_t first = output * window.stride[axis] - window.pad_begin[axis];
  const int64_t dilation = window.dilation[axis];
  const int64_t begin = first >= 0 ? 0 : (-first + dilation - 1) / dilation;
  const int64_t end = first >= size ? begin : std::min(window.kernel[axis], (size - first + dilation - 1) / dilation);
  return {begin, std::max(begin, end)};
}

/// Window positions of an average's divisor along one axis: with padding counted, up to the end of the padding.
int64_t counted_taps(const Window& window, size_t axis, int64_t output, int64_t size, bool include_pad) {
  const ValidRange inside = taps_inside(window, axis, output, size);
  if (!include_pad) return inside.end - inside.begin;
  const int64_t first = output * window.stride[axis];  // from the beginning of the padding
  const int64_t padded = size + window.pad_begin[axis] + window.pad_end[axis];
  // What hangs over the padding by ceil_mode is left out, as PyTorch and ONNX's tests do.
  return std::min(window.kernel[axis], (padded - first + window.dilation[axis] - 1) / window.dilation[axis]);
}

/// A plane seen as three-dimensional (with leading dimensions of 1), and its window.
struct Plane {
  Window window;
  Shape in, out;  ///< depth, height, width
};

Plane plane_of(const EvalContext& c) {
  const Shape& x = c.input(0).shape();
  Plane plane{window_of(c.node, c.node.get_ints("kernel_shape", {}), {x.begin() + 2, x.end()}).window, three_dims(x),
              three_dims(c.output().shape())};
  prepend_axes(plane.window, 3);
  return plane;
}

using Position = std::array<int64_t, 3>;

/// Calls pool(plane, position in the output) for every output element of every plane; what it returns is the output.
template <typename T, typename F>
void for_each_output(const EvalContext& c, const Plane& plane, F pool) {
  const T* x = c.input(0).data<T>().data();
  T* y = c.output().template mutable_data<T>().data();
  const int64_t planes = c.input(0).dim(0) * c.input(0).dim(1);
  const int64_t in_size = dims_product(plane.in, 0, 3), out_size = dims_product(plane.out, 0, 3);
  for_each_index(c.threads, c.output().numel() == 0 ? 0 : planes, [&](int64_t p) {
    T* out = y + p * out_size;
    for (int64_t od = 0; od < plane.out[0]; ++od)
      for (int64_t oh = 0; oh < plane.out[1]; ++oh)
        for (int64_t ow = 0; ow < plane.out[2]; ++ow) *out++ = pool(x + p * in_size, Position{od, oh, ow});
  });
}

/// Calls f(value, offset in the plane) for the elements under a window, padding left out.
template <typename T, typename F>
void for_each_tap(const T* in, const Plane& plane, const Position& out, F f) {
  const Window& window = plane.window;
  ValidRange taps[3];
  int64_t first[3];
  for (size_t axis = 0; axis < 3; ++axis) {
    taps[axis] = taps_inside(window, axis, out[axis], plane.in[axis]);
    first[axis] = out[axis] * window.stride[axis] - window.pad_begin[axis];
  }
  for (int64_t kd = taps[0].begin; kd < taps[0].end; ++kd)
    for (int64_t kh = taps[1].begin; kh < taps[1].end; ++kh)
      for (int64_t kw = taps[2].begin; kw < taps[2].end; ++kw) {
        const int64_t id = first[0] + kd * window.dilation[0], ih = first[1] + kh * window.dilation[1],
                      iw = first[2] + kw * window.dilation[2];
        const int64_t offset = (id * plane.in[1] + ih) * plane.in[2] + iw;
        f(in[offset], offset);
      }
}

/// An element's number in the whole input; with storage_order 1 the last two dimensions of a plane change places.
int64_t storage_index(const Plane& plane, int64_t offset, bool column_major) {
  if (!column_major) return offset;
  const int64_t h = plane.in[1], w = plane.in[2], rest = offset % (h * w);
  return offset - rest + rest % w * h + rest / w;
}

std::vector<Inferred> infer_max_pool(const InferContext& c) {
  if (c.dtype(0) != DType::kI8 && c.dtype(0) != DType::kU8) require_float(c);
  const Inferred output = infer_pool_of(c);
  return {output, {DType::kI64, output.shape}};
}

void evaluate_max_pool(const EvalContext& c) {
  const Plane plane = plane_of(c);
  const bool column_major = c.node.get_int("storage_order", 0) != 0;
  const int64_t in_size = dims_product(plane.in, 0, 3), out_size = dims_product(plane.out, 0, 3);
  Tensor indices(DType::kI64, c.outputs.size() > 1 ? c.output().shape() : Shape{0});
  const auto index = indices.mutable_data<int64_t>();
  with_arithmetic_type(c, [&](const EvalContext& wide, auto type) {
    using T = decltype(type);
    using Limits = std::numeric_limits<T>;
    const T* x = wide.input(0).template data<T>().data();
    for_each_output<T>(wide, plane, [&](const T* in, const Position& out) {
      T best = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
      int64_t where = -1;
      for_each_tap(in, plane, out, [&](T value, int64_t offset) {
        if (where >= 0 && !(value > best || value != value)) return;
        best = value;
        where = offset;
      });
      if (!index.empty()) {
        const int64_t p = (in - x) / in_size;
        const int64_t place = (out[0] * plane.out[1] + out[1]) * plane.out[2] + out[2];
        index[static_cast<size_t>(p * out_size + place)] = p * in_size + storage_index(plane, where, column_major);
      }
      return best;
    });
  });
  if (c.outputs.size() > 1) c.output(1) = indices;
}

void evaluate_average_pool(const EvalContext& c) {
  const bool include_pad = c.node.get_int("count_include_pad", 0) != 0;
  const Plane plane = plane_of(c);
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    for_each_output<T>(c, plane, [&](const T* in, const Position& out) {
      double sum = 0;
      for_each_tap(in, plane, out, [&](T value, int64_t) { sum += static_cast<double>(value); });
      int64_t count = 1;
      for (size_t axis = 0; axis < 3; ++axis)
        count *= counted_taps(plane.window, axis, out[axis], plane.in[axis], include_pad);
      return static_cast<T>(count == 0 ? 0 : sum / static_cast<double>(count));
    });
  });
}

/// The p of a norm: any whole number from 1 on.
double norm_power(const ir::Node& node) {
  const int64_t p = node.get_int("p", 2);
  if (p < 1) node_error(node, "p is {}", p);
  return static_cast<double>(p);
}

void evaluate_lp_pool(const EvalContext& c) {
  const double p = norm_power(c.node);
  const Plane plane = plane_of(c);
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    for_each_output<T>(c, plane, [&](const T* in, const Position& out) {
      double sum = 0;
      for_each_tap(in, plane, out, [&](T value, int64_t) { sum += std::pow(std::abs(static_cast<double>(value)), p); });
      return static_cast<T>(std::pow(sum, 1 / p));
    });
  });
}

/// The inverse of a MaxPool's sizes, or the sizes that input 2 gives.
std::vector<Inferred> infer_max_unpool(const InferContext& c) {
  require_float(c);
  if (c.dtype(1) != DType::kI64) node_error(c.node, "the indices have type {}", dtype_name(c.dtype(1)));
  if (!known_rank(c, 0, 3) || !is_known(*c.shape(0))) return {{c.dtype(0), std::nullopt}};
  if (c.shape(1) && is_known(*c.shape(1)) && *c.shape(1) != *c.shape(0))
    node_error(c.node, "indices of shape {} for {}", shape_text(*c.shape(1)), shape_text(*c.shape(0)));
  if (c.has(2)) {
    const auto sizes = c.ints(2);
    if (sizes && (sizes->size() != c.shape(0)->size() || !is_known(*sizes)))
      node_error(c.node, "output_shape {} for an input of {}", shape_text(*sizes), shape_text(*c.shape(0)));
    return {{c.dtype(0), sizes}};
  }
  const size_t rank = c.shape(0)->size() - 2;
  const std::vector<int64_t> kernel = c.node.get_ints("kernel_shape", {}),
                             stride = c.node.get_ints("strides", std::vector<int64_t>(rank, 1)),
                             pads = c.node.get_ints("pads", std::vector<int64_t>(2 * rank, 0));
  if (kernel.size() != rank || stride.size() != rank || pads.size() != 2 * rank)
    node_error(c.node, "kernel_shape, strides and pads do not fit {} dimensions", rank);
  Shape shape = *c.shape(0);
  for (size_t i = 0; i < rank; ++i) {
    constexpr int64_t kMost = int64_t{1} << 30;
    const auto sane = [](int64_t value, int64_t least) { return value >= least && value <= kMost; };
    if (!sane(kernel[i], 1) || !sane(stride[i], 1) || !sane(pads[i], 0) || !sane(pads[rank + i], 0) ||
        !sane(shape[i + 2], 1))
      node_error(c.node, "kernel {}, stride {}, pads {} and {} of dimension {}", kernel[i], stride[i], pads[i],
                 pads[rank + i], i);
    shape[i + 2] = (shape[i + 2] - 1) * stride[i] + kernel[i] - pads[i] - pads[rank + i];
    if (shape[i + 2] < 0) node_error(c.node, "the pads are larger than dimension {}", i);
  }
  return {{c.dtype(0), shape}};
}

/// Indices count in the sizes that the attributes say, also where output_shape asks for larger ones.
void evaluate_max_unpool(const EvalContext& c) {
  std::vector<InputInfo> infos = input_infos(c);
  infos.resize(2);
  const Shape counted = *infer_max_unpool({c.node, c.opset, infos})[0].shape, &shape = c.output().shape();
  const std::vector<int64_t> from = dense_strides(counted), to = dense_strides(shape);
  const auto index = c.input(1).data<int64_t>();
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    const auto x = c.input(0).data<T>();
    const auto y = c.output().mutable_data<T>();
    for (size_t i = 0; i < x.size(); ++i) {
      if (index[i] < 0 || index[i] >= dims_product(counted, 0, counted.size()))
        node_error(c.node, "index {} is out of range for shape {}", index[i], shape_text(counted));
      int64_t position = 0;
      for (size_t d = 0; d < shape.size(); ++d) {
        const int64_t coordinate = index[i] / from[d] % counted[d];
        if (coordinate >= shape[d]) node_error(c.node, "index {} lies outside of {}", index[i], shape_text(shape));
        position += coordinate * to[d];
      }
      y[static_cast<size_t>(position)] = x[i];
    }
  });
}

std::vector<Inferred> infer_global_pool(const InferContext& c) {
  require_float(c);
  if (!known_rank(c, 0, 3)) return {{c.dtype(0), std::nullopt}};
  Shape y(c.shape(0)->size(), 1);
  std::copy_n(c.shape(0)->begin(), 2, y.begin());
  return {{c.dtype(0), y}};
}

/// Folds each plane of [N, C, ...] in double precision.
template <typename F>
void fold_planes(const EvalContext& c, double start, F fold, bool mean) {
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    const Shape& shape = c.input(0).shape();
    const int64_t plane = dims_product(shape, 2, shape.size());
    const auto x = c.input(0).data<T>();
    const auto y = c.output().mutable_data<T>();
    for (size_t p = 0; p < y.size(); ++p) {
      double result = start;
      for (int64_t i = 0; i < plane; ++i) result = fold(result, static_cast<double>(x[p * plane + i]));
      y[p] = static_cast<T>(mean ? result / static_cast<double>(plane) : result);
    }
  });
}

void evaluate_global_average(const EvalContext& c) {
  fold_planes(
      c, 0.0, [](double a, double b) { return a + b; }, true);
}

void evaluate_global_max(const EvalContext& c) {
  fold_planes(
      c, -std::numeric_limits<double>::infinity(), [](double a, double b) { return b > a || b != b ? b : a; }, false);
}

void evaluate_global_lp(const EvalContext& c) {
  const double p = norm_power(c.node);
  fold_planes(
      c, 0.0, [p](double sum, double x) { return sum + std::pow(std::abs(x), p); }, false);
  with_float_type(c.node, c.output().dtype(), [&](auto type) {
    using T = decltype(type);
    for (T& x : c.output().mutable_data<T>()) x = static_cast<T>(std::pow(static_cast<double>(x), 1 / p));
  });
}

}  // namespace

std::span<const Operator> pool_operators() {
  static constexpr Card kMaxPool{.batch = Batch::kByImage, .heavy = true};
  static constexpr Card kGlobalAveragePool{.batch = Batch::kByImage, .layout = LayoutRule::kFollows};
  static constexpr Operator kOperators[] = {
      {"", "MaxPool", 1, 1, infer_max_pool, evaluate_max_pool, kMaxPool, 1, 2},
      {"", "LpPool", 1, 1, infer_pool, evaluate_lp_pool, kMaxPool, 2},
      {"", "MaxUnpool", 2, 3, infer_max_unpool, evaluate_max_unpool, kMixes, 9},
      {"", "GlobalLpPool", 1, 1, infer_global_pool, evaluate_global_lp, kByImage, 2},
      {"", "AveragePool", 1, 1, infer_pool, evaluate_average_pool, kMaxPool},
      {"", "GlobalAveragePool", 1, 1, infer_global_pool, evaluate_global_average, kGlobalAveragePool},
      {"", "GlobalMaxPool", 1, 1, infer_global_pool, evaluate_global_max, kGlobalAveragePool},
  };
  return kOperators;
}

}  // namespace effdet::ops
