// A sum of a Conv and another map becomes the Conv's residual; other sums become ai.effdet::Mix.
#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

/// Makes the Conv after one side of an Add, node number `index`, compute the sum, where the other side exists before
/// that Conv runs.
bool absorb_sum(ir::Graph& graph, ir::Uses& uses, int index) {
  using Conv = ops::ConvAttributes;
  ir::Node& sum = graph.nodes[static_cast<size_t>(index)];
  for (size_t i = 0; i < 2; ++i) {
    const ir::ValueId branch = sum.inputs[i], other = sum.inputs[1 - i], result = sum.outputs[0];
    ir::Node* conv = fused_producer(graph, uses, branch, "Conv");
    if (conv == nullptr || uses.sole_reader(branch) < 0 || !Conv::of(*conv).activation.is_none()) continue;
    const int conv_index = uses.producer(branch);
    if (uses.producer(other) >= conv_index) continue;
    if (conv->inputs.size() == Conv::kResidual) conv->inputs.push_back(ir::kNoValue);
    if (conv->inputs[Conv::kResidual] != ir::kNoValue) continue;
    conv->inputs[Conv::kResidual] = other;
    conv->outputs[0] = result;
    sum.outputs[0] = branch;  // the Add now makes a value that nobody reads
    sum.inputs = {result, other};
    uses.set_producer(result, conv_index);
    uses.set_producer(branch, index);
    uses.remove_reader(branch, index);
    uses.add_reader(result, index);
    uses.add_reader(other, conv_index);
    return true;
  }
  return false;
}

}  // namespace

void fuse_residuals(ir::Graph& graph) {
  ir::Uses uses(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    ir::Node& node = graph.nodes[i];
    if (!node.is("Add")) continue;
    const ir::Value& out = graph.value(node.outputs[0]);
    if (!is_static_map(out) || graph.value(node.inputs[0]).shape != out.shape ||
        graph.value(node.inputs[1]).shape != out.shape || graph.constant(node.inputs[0]) != nullptr ||
        graph.constant(node.inputs[1]) != nullptr)
      continue;
    if (absorb_sum(graph, uses, static_cast<int>(i))) continue;
    become_fused(
        node, "Mix", node.inputs,
        {{"weights", std::vector<float>{1, 1}}, {"size", std::vector<int64_t>{(*out.shape)[2], (*out.shape)[3]}}});
  }
  graph.compact();
}

}  // namespace effdet::compiler
