#include <cmath>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_batch_norm(const InferContext& c) {
  require_float(c);
  require_same_types(c, 5);
  if (c.node.get_int("training_mode", 0) != 0)
    fail(ErrorCode::kUnsupported, "{}: training_mode is not supported", node_label(c.node));
  if (known_rank(c, 0, 2)) {
    const int64_t channels = (*c.shape(0))[1];
    for (size_t i = 1; i < 5; ++i) {
      if (!c.shape(i)) continue;
      if (c.shape(i)->size() != 1 || (channels >= 0 && c.shape(i)->at(0) >= 0 && c.shape(i)->at(0) != channels))
        node_error(c.node, "input {} of shape {} for {} channels", i, shape_text(*c.shape(i)), channels);
    }
  }
  return infer_like_input(c);
}

template <typename T>
void normalize(const EvalContext& c) {
  const auto x = c.input(0).data<T>(), gamma = c.input(1).data<T>(), beta = c.input(2).data<T>(),
             mean = c.input(3).data<T>(), variance = c.input(4).data<T>();
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

const Operator kOperators[] = {{"", "BatchNormalization", 5, 5, infer_batch_norm, evaluate_batch_norm, 7}};

}  // namespace

std::span<const Operator> batch_norm_operators() { return kOperators; }

}  // namespace effdet::ops
