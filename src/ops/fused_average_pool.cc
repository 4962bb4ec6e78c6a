// AveragePool(x): the mean under a window, of the pixels that it covers or of all its places.
#include "ops/fused_util.h"
#include "ops/operators.h"
#include "ops/window.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_fused_average_pool(const InferContext& c) {
  const bool nhwc = one_layout(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), nhwc);
  return {{one_type(c), windowed(c.node, in, window_2d(c.node)).shape(nhwc)}};
}

void evaluate_fused_average_pool(const EvalContext& c) {
  const Tensor x = input_nchw(c, 0);
  ir::Node pool{"AveragePool", "", c.node.name, {0}, {1}, window_attributes(c.node)};
  pool.attributes["count_include_pad"] = c.node.get_int("count_include_pad", 0);
  const Tensor* inputs[] = {&x};
  write_output(c, evaluate_node(pool, c.opset, inputs, c.threads).at(0));
}

}  // namespace

std::span<const Operator> fused_average_pool_operators() {
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "AveragePool", 1, 1, infer_fused_average_pool, evaluate_fused_average_pool},
  };
  return kOperators;
}

}  // namespace effdet::ops
