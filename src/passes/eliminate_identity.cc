// Takes out nodes whose output is always their input: Identity, Dropout, no-op casts, pads and reshapes.
#include <algorithm>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

bool same_static_shape(const ir::Graph& graph, const ir::Node& node) {
  const auto &in = graph.value(node.inputs[0]).shape, &out = graph.value(node.outputs[0]).shape;
  return is_static(in) && in == out;
}

bool keeps_order(const ir::Graph& graph, const ir::Node& node) {
  const auto perm = node.get_ints("perm", {});
  if (perm.empty()) return graph.value(node.inputs[0]).shape && graph.value(node.inputs[0]).shape->size() <= 1;
  return std::ranges::is_sorted(perm);
}

/// Every step 1, and nothing cut off.
bool keeps_all(const ir::Graph& graph, const ir::Node& node) {
  if (!same_static_shape(graph, node)) return false;
  if (node.inputs.size() < 5 || node.inputs[4] == ir::kNoValue) return true;
  const auto steps = int_constant(graph, node.inputs[4]);
  return steps && std::ranges::all_of(*steps, [](int64_t step) { return step == 1; });
}

bool pads_nothing(const ir::Graph& graph, const ir::Node& node) {
  const auto pads = graph.opset < 11         ? std::optional(node.get_ints("pads", {}))
                    : node.inputs.size() > 1 ? int_constant(graph, node.inputs[1])
                                             : std::nullopt;
  return pads && std::ranges::all_of(*pads, [](int64_t pad) { return pad == 0; });
}

/// Whether the node's first output always equals its first input.
bool is_identity(const ir::Graph& graph, const ir::Node& node) {
  if (node.opaque || !node.domain.empty() || node.inputs.empty() || node.outputs.size() != 1) return false;
  const std::string& op = node.op;
  if (op == "Identity" || op == "Dropout") return true;
  if (op == "Cast") return graph.value(node.inputs[0]).dtype == graph.value(node.outputs[0]).dtype;
  if (op == "Concat" || op == "Sum" || op == "Max" || op == "Min" || op == "Mean") return node.inputs.size() == 1;
  if (op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze" || op == "Expand")
    return same_static_shape(graph, node);
  if (op == "Transpose") return keeps_order(graph, node);
  if (op == "Slice") return keeps_all(graph, node);
  return op == "Pad" && pads_nothing(graph, node);
}

/// Where each value is made.
struct Producer {
  ir::Node* node = nullptr;
  size_t output = 0;
};

}  // namespace

bool eliminate_identity(ir::Graph& graph) {
  std::vector<bool> is_output(graph.value_count(), false);
  for (ir::ValueId id : graph.outputs) is_output[static_cast<size_t>(id)] = true;
  std::vector<Producer> producers(graph.value_count());
  Replacements replacements(graph);
  std::vector<bool> drop(graph.nodes.size(), false);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    ir::Node& node = graph.nodes[n];
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i] != ir::kNoValue) producers[static_cast<size_t>(node.outputs[i])] = {&node, i};
    if (!is_identity(graph, node)) continue;
    const ir::ValueId in = replacements.resolve(node.inputs[0]), out = node.outputs[0];
    if (!is_output[static_cast<size_t>(out)]) {
      replacements.replace(out, in);
      drop[n] = true;
    } else if (const Producer producer = producers[static_cast<size_t>(in)];
               producer.node != nullptr && !is_output[static_cast<size_t>(in)]) {
      // A graph output keeps its name: the node that made the input makes the output instead.
      producer.node->outputs[producer.output] = out;
      producers[static_cast<size_t>(out)] = producer;
      replacements.replace(in, out);
      drop[n] = true;
    }
  }
  replacements.apply(graph);
  return erase_nodes(graph, drop);
}

}  // namespace effdet::passes
