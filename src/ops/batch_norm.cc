// BatchNormalization, as at inference.
#include <algorithm>
#include <cmath>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_batch_norm(const InferContext& c) {
  require_float(c);
  const bool training = c.node.get_int("training_mode", 0) != 0;
  if (!training && c.node.outputs.size() > 1)
    fail(ErrorCode::kUnsupported, "{}: more than one output without training_mode is not supported",
         node_label(c.node));
  if (known_rank(c, 0, 2)) {
    const int64_t channels = (*c.shape(0))[1];
    for (size_t i = 1; i < 5; ++i) {
      if (!c.shape(i)) continue;
      if (c.shape(i)->size() != 1 || (channels >= 0 && c.shape(i)->at(0) >= 0 && c.shape(i)->at(0) != channels))
        node_error(c.node, "input {} of shape {} for {} channels", i, shape_text(*c.shape(i)), channels);
    }
  }
  for (size_t i = 1; i < 5; ++i) require_float(c, i);  // of other widths than the input's since opset 15
  if (!training) return infer_like_input(c);
  return {{c.dtype(0), c.shape(0)}, {c.dtype(3), c.shape(3)}, {c.dtype(4), c.shape(4)}};
}

/// Mean and variance of each channel.
struct Statistics {
  std::vector<double> mean, variance;
};

std::vector<double> as_doubles(const Tensor& tensor) {
  const Tensor wide = tensor.to(DType::kF64);
  return {wide.data<double>().begin(), wide.data<double>().end()};
}

template <typename T>
Statistics measure(std::span<const T> x, const Shape& shape) {
  const int64_t channels = shape[1], plane = dims_product(shape, 2, shape.size());
  Statistics result{std::vector<double>(static_cast<size_t>(channels)),
                    std::vector<double>(static_cast<size_t>(channels))};
  const auto for_each = [&](int64_t channel, auto f) {
    for (int64_t n = 0; n < shape[0]; ++n)
      for (int64_t i = 0; i < plane; ++i)
        f(static_cast<double>(x[static_cast<size_t>((n * channels + channel) * plane + i)]));
  };
  const double count = static_cast<double>(std::max<int64_t>(1, shape[0] * plane));
  for (int64_t k = 0; k < channels; ++k) {
    double &mean = result.mean[static_cast<size_t>(k)], &variance = result.variance[static_cast<size_t>(k)];
    for_each(k, [&](double value) { mean += value / count; });
    for_each(k, [&](double value) { variance += (value - mean) * (value - mean) / count; });
  }
  return result;
}

/// running * momentum + current * (1 - momentum), where somebody wants it.
void write_running(const EvalContext& c, size_t output, const Tensor& running, const std::vector<double>& current) {
  if (output >= c.outputs.size() || c.output(output).empty()) return;
  const double momentum = c.node.get_float("momentum", 0.9f);
  Tensor result(DType::kF64, running.shape());
  const std::vector<double> old = as_doubles(running);
  for (size_t i = 0; i < old.size(); ++i)
    result.mutable_data<double>()[i] = old[i] * momentum + current[i] * (1 - momentum);
  c.output(output) = result.to(running.dtype());
}

template <typename T>
void normalize(const EvalContext& c) {
  const auto x = c.input(0).data<T>();
  const std::vector<double> gamma = as_doubles(c.input(1)), beta = as_doubles(c.input(2));
  Statistics statistics{as_doubles(c.input(3)), as_doubles(c.input(4))};
  if (c.node.get_int("training_mode", 0) != 0) {
    statistics = measure(x, c.input(0).shape());
    write_running(c, 1, c.input(3), statistics.mean);
    write_running(c, 2, c.input(4), statistics.variance);
  }
  const auto& [mean, variance] = statistics;
  const auto y = c.output().template mutable_data<T>();
  const double epsilon = c.node.get_float("epsilon", 1e-5f);
  const Shape& shape = c.input(0).shape();
  const int64_t channels = shape[1], plane = dims_product(shape, 2, shape.size());
  for (int64_t p = 0; p < shape[0] * channels && plane > 0; ++p) {
    const size_t k = static_cast<size_t>(p % channels);
    const double scale = gamma[k] / std::sqrt(variance[k] + epsilon), shift = beta[k] - mean[k] * scale;
    for (int64_t i = p * plane; i < (p + 1) * plane; ++i) y[i] = static_cast<T>(x[i] * scale + shift);
  }
}

void evaluate_batch_norm(const EvalContext& c) {
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) { normalize<decltype(type)>(c); });
}

}  // namespace

namespace {

bool is_inference(const ir::Node& node) { return node.get_int("training_mode", 0) == 0; }

}  // namespace

std::span<const Operator> batch_norm_operators() {
  static constexpr Card kBatchNormalization{.batch = Batch::kByImage, .keeps_batch = is_inference};
  static constexpr Operator kOperators[] = {
      {"", "BatchNormalization", 5, 5, infer_batch_norm, evaluate_batch_norm, kBatchNormalization, 7, 3},
  };
  return kOperators;
}

}  // namespace effdet::ops
