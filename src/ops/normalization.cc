// Normalizations whose statistics come from the input itself.
#include <algorithm>
#include <cmath>

#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

struct Moments {
  double mean, variance;
};

template <typename T>
Moments moments(const T* x, int64_t count) {
  double mean = 0, variance = 0;
  for (int64_t i = 0; i < count; ++i) mean += static_cast<double>(x[i]);
  mean /= static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i)
    variance += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean);
  return {mean, variance / static_cast<double>(count)};
}

/// Scale and bias of `length` values each, as the number of channels or groups says.
void check_scale_and_bias(const InferContext& c, int64_t length) {
  for (size_t i = 1; i < 3; ++i)
    if (c.shape(i) &&
        (c.shape(i)->size() != 1 || (length >= 0 && c.shape(i)->at(0) >= 0 && c.shape(i)->at(0) != length)))
      node_error(c.node, "input {} of shape {}, not {}", i, shape_text(*c.shape(i)), length);
}

std::vector<Inferred> infer_instance_norm(const InferContext& c) {
  require_float(c);
  require_same_types(c, 3);
  if (known_rank(c, 0, 3)) check_scale_and_bias(c, c.shape(0)->at(1));
  return infer_like_input(c);
}

int64_t groups_of(const ir::Node& node, int64_t channels) {
  const int64_t groups = node.get_int("num_groups", 0);
  if (groups < 1 || (channels >= 0 && channels % groups != 0))
    node_error(node, "{} channels in {} groups", channels, groups);
  return groups;
}

/// Scale and bias belong to groups in opset 18, to channels since 21.
std::vector<Inferred> infer_group_norm(const InferContext& c) {
  require_float(c);
  require_same_types(c, 3);
  if (known_rank(c, 0, 3)) {
    const int64_t channels = c.shape(0)->at(1), groups = groups_of(c.node, channels);
    check_scale_and_bias(c, c.opset < 21 ? groups : channels);
  }
  return infer_like_input(c);
}

/// Instance normalization is group normalization of one channel a group.
template <typename T>
void normalize_groups(const EvalContext& c, int64_t groups, bool scale_by_group) {
  const Shape& shape = c.input(0).shape();
  const double epsilon = c.node.get_float("epsilon", 1e-5f);
  const int64_t channels = shape[1], plane = dims_product(shape, 2, shape.size());
  const int64_t width = channels / groups, count = width * plane;
  const auto scale = c.input(1).data<T>(), bias = c.input(2).data<T>();
  const T* x = c.input(0).data<T>().data();
  T* y = c.output().template mutable_data<T>().data();
  for (int64_t g = 0; g < shape[0] * groups && count > 0; ++g) {
    const auto [mean, variance] = moments(x + g * count, count);
    const double factor = 1 / std::sqrt(variance + epsilon);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t group = g % groups;
      const auto k = static_cast<size_t>(scale_by_group ? group : group * width + i / plane);
      y[g * count + i] = static_cast<T>((static_cast<double>(x[g * count + i]) - mean) * factor * scale[k] + bias[k]);
    }
  }
}

void evaluate_instance_norm(const EvalContext& c) {
  if (c.output().numel() == 0) return;
  with_float_type(c.node, c.input(0).dtype(),
                  [&](auto type) { normalize_groups<decltype(type)>(c, c.input(0).dim(1), false); });
}

void evaluate_group_norm(const EvalContext& c) {
  if (c.output().numel() == 0) return;
  const int64_t groups = groups_of(c.node, c.input(0).dim(1));
  with_float_type(c.node, c.input(0).dtype(),
                  [&](auto type) { normalize_groups<decltype(type)>(c, groups, c.opset < 21); });
}

template <typename T>
Moments moments_about_zero(const T* x, int64_t count) {
  double squares = 0;
  for (int64_t i = 0; i < count; ++i) squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return {0, squares / static_cast<double>(count)};
}

/// RMSNormalization is LayerNormalization without mean and bias. Outputs: the result, and mean and 1 / deviation with
/// the normalized dimensions kept as 1.
std::vector<Inferred> infer_layer_norm(const InferContext& c) {
  require_float(c);
  const auto axis = axis_of(c, -1);
  if (!axis) return {{c.dtype(0), std::nullopt}, {DType::kF32, std::nullopt}, {DType::kF32, std::nullopt}};
  Shape statistics = *c.shape(0);
  std::fill(statistics.begin() + static_cast<int64_t>(*axis), statistics.end(), 1);
  const Shape normalized(c.shape(0)->begin() + static_cast<int64_t>(*axis), c.shape(0)->end());
  for (size_t i = 1; i < 3; ++i)
    if (c.has(i) && is_known(normalized) &&
        broadcast(c.node, normalized, c.shape(i)).value_or(normalized) != normalized)
      node_error(c.node, "input {} of shape {} for {}", i, shape_text(*c.shape(i)), shape_text(normalized));
  const DType kept = c.dtype(0) == DType::kF64 ? DType::kF64 : DType::kF32;
  return {{c.dtype(0), c.shape(0)}, {kept, statistics}, {kept, statistics}};
}

template <typename T>
void layer_norm(const EvalContext& c, size_t axis, bool centred) {
  const Shape& shape = c.input(0).shape();
  const Shape normalized(shape.begin() + static_cast<int64_t>(axis), shape.end());
  const int64_t rows = dims_product(shape, 0, axis), count = dims_product(shape, axis, shape.size());
  const Tensor scale = expanded(c.input(1).to(dtype_of<T>()), normalized);
  const Tensor bias = c.has(2) ? expanded(c.input(2).to(dtype_of<T>()), normalized) : Tensor(dtype_of<T>(), normalized);
  const T *x = c.input(0).data<T>().data(), *factor = scale.data<T>().data(), *shift = bias.data<T>().data();
  T* y = c.output().template mutable_data<T>().data();
  const auto statistic = [&](size_t output, int64_t row, double value) {
    if (output >= c.outputs.size() || c.output(output).empty()) return;
    c.output(output).template mutable_data<T>()[static_cast<size_t>(row)] = static_cast<T>(value);
  };
  for (int64_t row = 0; row < rows; ++row) {
    const auto [mean, variance] =
        centred ? moments(x + row * count, count) : moments_about_zero(x + row * count, count);
    const double inverse = 1 / std::sqrt(variance + static_cast<double>(c.node.get_float("epsilon", 1e-5f)));
    for (int64_t i = 0; i < count; ++i)
      y[row * count + i] =
          static_cast<T>((static_cast<double>(x[row * count + i]) - mean) * inverse * factor[i] + shift[i]);
    statistic(1, row, mean);
    statistic(2, row, inverse);
  }
}

template <bool Centred>
void evaluate_layer_norm(const EvalContext& c) {
  const size_t axis = axis_of(c, -1);
  if (c.input(0).numel() == 0) return;
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) { layer_norm<decltype(type)>(c, axis, Centred); });
}

std::vector<Inferred> infer_lp_norm(const InferContext& c) {
  const int64_t p = c.node.get_int("p", 2);
  if (p != 1 && p != 2) node_error(c.node, "p is {}, not 1 or 2", p);
  axis_of(c, -1);
  return infer_like_float(c);
}

void evaluate_lp_norm(const EvalContext& c) {
  const AxisView view = view_around(c.input(0).shape(), axis_of(c, -1));
  const bool squares = c.node.get_int("p", 2) == 2;
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    const T* x = c.input(0).data<T>().data();
    T* y = c.output().mutable_data<T>().data();
    for (int64_t line = 0; line < view.outer * view.inner; ++line) {
      const int64_t start = line / view.inner * view.count * view.inner + line % view.inner;
      double sum = 0;
      for (int64_t i = 0; i < view.count; ++i) {
        const double value = static_cast<double>(x[start + i * view.inner]);
        sum += squares ? value * value : std::abs(value);
      }
      const double norm = squares ? std::sqrt(sum) : sum;
      for (int64_t i = 0; i < view.count; ++i)
        y[start + i * view.inner] = norm == 0 ? T(0) : static_cast<T>(x[start + i * view.inner] / norm);
    }
  });
}

/// (x - mean) / deviation over the axes given, for every position on the others.
std::vector<Inferred> infer_mean_variance(const InferContext& c) {
  if (c.shape(0)) normalize_axes(c.node, c.node.get_ints("axes", {0, 2, 3}), static_cast<int64_t>(c.shape(0)->size()));
  return infer_like_float(c);
}

void evaluate_mean_variance(const EvalContext& c) {
  const Shape& shape = c.input(0).shape();
  Shape kept = shape;
  for (int64_t axis : normalize_axes(c.node, c.node.get_ints("axes", {0, 2, 3}), static_cast<int64_t>(shape.size())))
    kept[static_cast<size_t>(axis)] = 1;
  const auto cells = static_cast<size_t>(dims_product(kept, 0, kept.size()));
  const StridedLoop loop = merge_loop(shape, dense_strides(shape), broadcast_strides(kept, shape));
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    const auto x = c.input(0).data<T>();
    const auto y = c.output().mutable_data<T>();
    const auto for_each = [&](auto f) {
      for_each_row(loop, [&](int64_t in, int64_t out, int64_t) {
        for (int64_t i = 0; i < loop.shape.back(); ++i)
          f(static_cast<size_t>(in + i * loop.a.back()), static_cast<size_t>(out + i * loop.b.back()));
      });
    };
    std::vector<double> mean(cells), variance(cells);
    const double count = static_cast<double>(x.size()) / static_cast<double>(std::max<size_t>(1, cells));
    for_each([&](size_t i, size_t cell) { mean[cell] += static_cast<double>(x[i]) / count; });
    for_each([&](size_t i, size_t cell) {
      const double apart = static_cast<double>(x[i]) - mean[cell];
      variance[cell] += apart * apart / count;
    });
    for_each([&](size_t i, size_t cell) {
      y[i] = static_cast<T>((static_cast<double>(x[i]) - mean[cell]) / (std::sqrt(variance[cell]) + 1e-9));
    });
  });
}

std::vector<Inferred> infer_lrn(const InferContext& c) {
  known_rank(c, 0, 3);
  const int64_t size = c.node.get_int("size", 0);
  if (size < 1) node_error(c.node, "size is {}", size);
  return infer_like_float(c);
}

/// Divides by a power of the squares of neighbouring channels.
void evaluate_lrn(const EvalContext& c) {
  const AxisView view = view_around(c.input(0).shape(), 1);
  const int64_t size = std::min(c.node.get_int("size", 1), 2 * view.count + 1);
  const double alpha = c.node.get_float("alpha", 1e-4f), beta = c.node.get_float("beta", 0.75f),
               bias = c.node.get_float("bias", 1), divisor = static_cast<double>(c.node.get_int("size", 1));
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    const T* x = c.input(0).data<T>().data();
    T* y = c.output().mutable_data<T>().data();
    const auto at = [&](int64_t n, int64_t channel, int64_t i) { return (n * view.count + channel) * view.inner + i; };
    for (int64_t n = 0; n < view.outer; ++n)
      for (int64_t channel = 0; channel < view.count; ++channel) {
        const int64_t first = std::max<int64_t>(0, channel - (size - 1) / 2);
        const int64_t last = std::min(view.count - 1, channel + size / 2);
        for (int64_t i = 0; i < view.inner; ++i) {
          double sum = 0;
          for (int64_t k = first; k <= last; ++k) sum += std::pow(static_cast<double>(x[at(n, k, i)]), 2);
          const double value = static_cast<double>(x[at(n, channel, i)]);
          y[at(n, channel, i)] = static_cast<T>(value / std::pow(bias + alpha / divisor * sum, beta));
        }
      }
  });
}

}  // namespace

std::span<const Operator> normalization_operators() {
  static constexpr Card kLayerNormalization{.batch = Batch::kAlongAxis, .default_axis = -1};
  static constexpr Card kLRN{.batch = Batch::kByImage, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "InstanceNormalization", 3, 3, infer_instance_norm, evaluate_instance_norm, kByImage, 6},
      {"", "GroupNormalization", 3, 3, infer_group_norm, evaluate_group_norm, kByImage, 18},
      {"", "LayerNormalization", 2, 3, infer_layer_norm, evaluate_layer_norm<true>, kLayerNormalization, 17, 3},
      {"", "RMSNormalization", 2, 2, infer_layer_norm, evaluate_layer_norm<false>, kLayerNormalization, 23},
      {"", "LpNormalization", 1, 1, infer_lp_norm, evaluate_lp_norm, kMixes},
      {"", "MeanVarianceNormalization", 1, 1, infer_mean_variance, evaluate_mean_variance, kMixes, 9},
      {"", "LRN", 1, 1, infer_lrn, evaluate_lrn, kLRN},
  };
  return kOperators;
}

}  // namespace effdet::ops
