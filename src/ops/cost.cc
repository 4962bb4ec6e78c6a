// The cost of a node, by its operator's card.
#include "ops/cost.h"

#include "base/checked.h"
#include "ops/op.h"

namespace effdet::ops {
namespace {

int64_t bytes(const ir::Graph& graph, ir::ValueId id) {
  if (id == ir::kNoValue) return 0;
  const ir::Value& value = graph.value(id);
  return static_cast<int64_t>(checked_numel(*value.shape).value_or(0) * dtype_size(value.dtype));
}

std::vector<Shape> shapes(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  std::vector<Shape> all;
  for (const ir::ValueId id : ids) all.push_back(id == ir::kNoValue ? Shape{} : *graph.value(id).shape);
  return all;
}

}  // namespace

Cost cost_of(const ir::Graph& graph, const ir::Node& node) {
  Cost cost;
  for (ir::ValueId id : node.inputs) cost.bytes += bytes(graph, id);
  for (ir::ValueId id : node.outputs) cost.bytes += bytes(graph, id);
  const std::vector<Shape> inputs = shapes(graph, node.inputs), outputs = shapes(graph, node.outputs);
  const Card& card = card_of(node);
  const int64_t products =
      card.products != nullptr ? card.products({.node = node, .inputs = inputs, .outputs = outputs}) : 0;
  cost.flops = products > 0 ? 2 * products : CostContext::elements(outputs.at(0));
  return cost;
}

bool is_heavy(const ir::Node& node) { return card_of(node).heavy; }

}  // namespace effdet::ops
