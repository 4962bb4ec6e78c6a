// Elementwise(x0, x1, ...): a program of steps, computed for one element after the other.
#include <algorithm>

#include "ops/elementwise_program.h"
#include "ops/fused.h"
#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_elementwise(const InferContext& c) {
  parse_elementwise(c.node, c.node.get_string("program", ""), c.inputs.size());
  std::optional<Shape> shape = Shape{};
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const DType dtype = c.dtype(i);
    if (dtype != DType::kF32 && dtype != DType::kBF16)
      node_error(c.node, "input {} is {}, neither float32 nor bfloat16", i, dtype_name(dtype));
    shape = broadcast(c.node, shape, c.shape(i));
  }
  return {{output_type(c.node, c.dtype(0)), shape}};
}

void evaluate_elementwise(const EvalContext& c) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < c.inputs.size(); ++i) inputs.push_back(c.input(i).to(DType::kF32));
  const auto program = parse_elementwise(c.node, c.node.get_string("program", ""), inputs.size());
  const Tensor result = run_elementwise(c.node, program, inputs);
  c.output() = result.shape() == c.output().shape() ? result : expanded(result, c.output().shape());
}

}  // namespace

std::span<const Operator> fused_elementwise_operators() {
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Elementwise", 1, kMaxElementwiseInputs, infer_elementwise, evaluate_elementwise},
  };
  return kOperators;
}

}  // namespace effdet::ops
