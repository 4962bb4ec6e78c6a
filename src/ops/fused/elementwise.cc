// ai.effdet::Elementwise(x0, x1, ...): a program of steps, computed for one element after the other.
#include <algorithm>

#include "ops/elementwise_program.h"
#include "ops/fused/maps.h"
#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_elementwise(const InferContext& c) {
  elementwise_program_of(c.node);
  std::optional<Shape> shape = Shape{};
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    map_type(c, i);
    shape = broadcast(c.node, shape, c.shape(i));
  }
  return {{output_type_of(c.node).value_or(c.dtype(0)), shape}};
}

void evaluate_elementwise(const EvalContext& c) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < c.inputs.size(); ++i) inputs.push_back(c.input(i).to(DType::kF32));
  const auto program = elementwise_program_of(c.node);
  const Tensor result = run_elementwise(c.node, program, inputs);
  c.output() = result.shape() == c.output().shape() ? result : expanded(result, c.output().shape());
}

/// A step is half a product.
int64_t elementwise_products(const CostContext& c) {
  const std::string program = c.node.get_string("program", "");
  return c.elements(c.outputs[0]) * ((std::ranges::count(program, ';') + 1) / 2);
}

}  // namespace

std::span<const Operator> fused_elementwise_operators() {
  static constexpr Slot kSlots[] = {Slot::kAnyMap};  // any number of them
  static constexpr Card kCard{.batch = Batch::kByElement,
                              .slots = kSlots,
                              .map_types = kMapTypes,
                              .layout = LayoutRule::kFollows,
                              .heavy = true,
                              .products = elementwise_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Elementwise", 1, kMaxElementwiseInputs, infer_elementwise, evaluate_elementwise, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
