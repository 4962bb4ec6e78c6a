// ai.effdet::Table(x, table): y = table[x], codes to codes: what any function of one number is on uint8.
#include <algorithm>

#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_table(const InferContext& c) {
  require_inputs(c, 2);
  if (c.dtype(0) != DType::kU8) node_error(c.node, "input 0 is {}, not uint8", dtype_name(c.dtype(0)));
  require_shape(c, 1, {256}, DType::kU8);
  return {{DType::kU8, c.shape(0)}};
}

void evaluate_table(const EvalContext& c) {
  const auto table = c.input(1).data<uint8_t>();
  std::ranges::transform(c.input(0).data<uint8_t>(), c.output().mutable_data<uint8_t>().begin(),
                         [&](uint8_t code) { return table[code]; });
}

}  // namespace

std::span<const Operator> fused_table_operators() {
  static constexpr Card kCard{.batch = Batch::kByElement, .layout = LayoutRule::kFollows, .heavy = true};
  static constexpr Operator kOperators[] = {{ir::kFusedDomain, "Table", 2, 2, infer_table, evaluate_table, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
