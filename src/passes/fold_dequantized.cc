// DequantizeLinear of constants becomes their floats.
#include <algorithm>
#include <functional>
#include <set>

#include "base/checked.h"
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {

bool fold_dequantized(ir::Graph& graph, RewriteBudget& budget, const std::function<bool(const ir::Node&)>& keep) {
  const ir::Uses uses(graph);
  std::set<ir::ValueId> folded;  // once each: a file cannot ask for the floats of one constant again and again
  std::vector<bool> drop(graph.nodes.size(), false);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& node = graph.nodes[n];
    if (!node.is("DequantizeLinear")) continue;
    if (uses.readers(node.outputs[0]).empty() && !uses.is_output(node.outputs[0])) continue;
    std::vector<const Tensor*> inputs;
    for (ir::ValueId id : node.inputs) inputs.push_back(graph.constant(id));
    const bool known = std::ranges::equal(inputs, node.inputs, [](const Tensor* tensor, ir::ValueId id) {
      return tensor != nullptr || id == ir::kNoValue;
    });
    if (!known || (keep && keep(node))) continue;
    ir::Value& value = graph.value(node.outputs[0]);
    const uint64_t bytes = static_cast<uint64_t>(inputs[0]->numel()) * dtype_size(value.dtype);
    if (folded.insert(node.inputs[0]).second) budget.allow(bytes);
    if (!budget.change(bytes)) continue;
    value.constant = ops::evaluate_node(node, graph.opset, inputs)[0];
    drop[n] = true;
  }
  return erase_nodes(graph, drop);
}

}  // namespace effdet::passes
