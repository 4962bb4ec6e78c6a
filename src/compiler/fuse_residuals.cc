#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

/// Makes the Conv behind one side of an Add compute the sum, where the other side exists before that Conv runs.
bool absorb_sum(ir::Graph& graph, const ir::Uses& uses, ir::Node& sum) {
  for (size_t i = 0; i < 2; ++i) {
    const ir::ValueId branch = sum.inputs[i], other = sum.inputs[1 - i];
    ir::Node* conv = fused_producer(graph, uses, branch, "Conv");
    if (conv == nullptr || uses.sole_reader(branch) < 0 || conv->get_string("activation", "none") != "none") continue;
    if (uses.producer(other) >= uses.producer(branch)) continue;
    if (conv->inputs.size() > 3 && conv->inputs[3] != ir::kNoValue) continue;
    if (conv->inputs.size() == 3) conv->inputs.push_back(ir::kNoValue);
    conv->inputs[3] = other;
    std::swap(conv->outputs[0], sum.outputs[0]);  // the Add now makes a value that nobody reads
    sum.inputs = {conv->outputs[0], other};
    return true;
  }
  return false;
}

}  // namespace

void fuse_residuals(ir::Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    ir::Node& node = graph.nodes[i];
    if (!node.is("Add")) continue;
    const ir::Value& out = graph.value(node.outputs[0]);
    if (!is_static_map(out) || graph.value(node.inputs[0]).shape != out.shape ||
        graph.value(node.inputs[1]).shape != out.shape || graph.constant(node.inputs[0]) != nullptr ||
        graph.constant(node.inputs[1]) != nullptr)
      continue;
    const ir::Uses uses(graph);  // anew: a chain of residuals changes who makes what
    if (absorb_sum(graph, uses, node)) continue;
    become_fused(
        node, "Mix", node.inputs,
        {{"weights", std::vector<float>{1, 1}}, {"size", std::vector<int64_t>{(*out.shape)[2], (*out.shape)[3]}}});
  }
  graph.compact();
}

}  // namespace effdet::compiler
