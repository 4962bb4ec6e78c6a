#include <algorithm>
#include <limits>

#include "ops/operators.h"
#include "ops/util.h"
#include "ops/window.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_pool(const InferContext& c) {
  require_float(c);
  const std::vector<int64_t> kernel = c.node.get_ints("kernel_shape", {});
  if (!known_rank(c, 0, 3)) return {{c.dtype(0), std::nullopt}};
  const Shape& x = *c.shape(0);
  const Shape spatial = window_of(c.node, kernel, {x.begin() + 2, x.end()}).output;
  Shape y{x[0], x[1]};
  y.insert(y.end(), spatial.begin(), spatial.end());
  return {{c.dtype(0), y}};
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
  return std::min(window.kernel[axis], (padded - first + window.dilation[axis] - 1) / window.dilation[axis]);
}

/// A plane seen as two-dimensional, and its window.
struct Plane {
  Window window;
  int64_t in_h, in_w, out_h, out_w;
};

Plane plane_of(const EvalContext& c) {
  const Shape &x = c.input(0).shape(), &y = c.output().shape();
  Plane plane{window_of(c.node, c.node.get_ints("kernel_shape", {}), {x.begin() + 2, x.end()}).window, 1, x.back(), 1,
              y.back()};
  if (x.size() == 4) {
    plane.in_h = x[2], plane.out_h = y[2];
    return plane;
  }
  Window& window = plane.window;
  for (auto* list : {&window.kernel, &window.stride, &window.dilation}) list->insert(list->begin(), 1);
  for (auto* list : {&window.pad_begin, &window.pad_end}) list->insert(list->begin(), 0);
  return plane;
}

/// Calls pool(values of a plane, plane, output row, output column) for every output element.
template <typename T, typename F>
void for_each_output(const EvalContext& c, F pool) {
  const Plane plane = plane_of(c);
  const T* x = c.input(0).data<T>().data();
  T* y = c.output().template mutable_data<T>().data();
  const int64_t planes = c.input(0).dim(0) * c.input(0).dim(1);
  for_each_index(c.threads, c.output().numel() == 0 ? 0 : planes, [&](int64_t p) {
    const T* in = x + p * plane.in_h * plane.in_w;
    T* out = y + p * plane.out_h * plane.out_w;
    for (int64_t oh = 0; oh < plane.out_h; ++oh)
      for (int64_t ow = 0; ow < plane.out_w; ++ow) *out++ = pool(in, plane, oh, ow);
  });
}

/// Folds the elements under a window, padding left out.
template <typename T, typename F>
T fold_window(const T* in, const Plane& plane, int64_t oh, int64_t ow, T start, F fold) {
  const Window& window = plane.window;
  const ValidRange rows = taps_inside(window, 0, oh, plane.in_h), columns = taps_inside(window, 1, ow, plane.in_w);
  T result = start;
  for (int64_t kh = rows.begin; kh < rows.end; ++kh) {
    const int64_t ih = oh * window.stride[0] - window.pad_begin[0] + kh * window.dilation[0];
    for (int64_t kw = columns.begin; kw < columns.end; ++kw) {
      const int64_t iw = ow * window.stride[1] - window.pad_begin[1] + kw * window.dilation[1];
      result = fold(result, in[ih * plane.in_w + iw]);
    }
  }
  return result;
}

void evaluate_max_pool(const EvalContext& c) {
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    for_each_output<T>(c, [](const T* in, const Plane& plane, int64_t oh, int64_t ow) {
      return fold_window(in, plane, oh, ow, -std::numeric_limits<T>::infinity(),
                         [](T best, T x) { return x > best || x != x ? x : best; });
    });
  });
}

void evaluate_average_pool(const EvalContext& c) {
  const bool include_pad = c.node.get_int("count_include_pad", 0) != 0;
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    for_each_output<T>(c, [&](const T* in, const Plane& plane, int64_t oh, int64_t ow) {
      const double sum = fold_window(in, plane, oh, ow, T(0), [](T s, T x) { return s + x; });
      const int64_t count = counted_taps(plane.window, 0, oh, plane.in_h, include_pad) *
                            counted_taps(plane.window, 1, ow, plane.in_w, include_pad);
      return static_cast<T>(count == 0 ? 0 : sum / static_cast<double>(count));
    });
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

const Operator kOperators[] = {
    {"", "MaxPool", 1, 1, infer_pool, evaluate_max_pool},
    {"", "AveragePool", 1, 1, infer_pool, evaluate_average_pool},
    {"", "GlobalAveragePool", 1, 1, infer_global_pool, evaluate_global_average},
    {"", "GlobalMaxPool", 1, 1, infer_global_pool, evaluate_global_max},
};

}  // namespace

std::span<const Operator> pool_operators() { return kOperators; }

}  // namespace effdet::ops
