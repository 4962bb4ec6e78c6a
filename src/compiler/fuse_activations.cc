#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

/// Name of the activation that a node computes of its first input, or nothing.
std::string_view activation_name(const ir::Graph& graph, const ir::Node& node) {
  if (node.is("Relu")) return "relu";
  if (node.is("Sigmoid")) return "sigmoid";
  if (node.is("HardSwish")) return "hardswish";
  if (!node.is("Clip")) return "";
  const auto limit = [&](size_t input, std::string_view attribute) -> std::optional<float> {
    if (graph.opset < 11) return node.find(attribute) ? std::optional(node.get_float(attribute, 0)) : std::nullopt;
    return input < node.inputs.size() ? scalar_constant(graph, node.inputs[input]) : std::nullopt;
  };
  return limit(1, "min") == 0.0f && limit(2, "max") == 6.0f ? "relu6" : "";
}

/// x of x * Sigmoid(x), or kNoValue.
ir::ValueId swish_input(const ir::Graph& graph, const ir::Uses& uses, const ir::Node& node) {
  if (!node.is("Mul") || node.inputs.size() != 2) return ir::kNoValue;
  for (size_t i = 0; i < 2; ++i) {
    const int producer = uses.producer(node.inputs[i]);
    if (producer < 0) continue;
    const ir::Node& sigmoid = graph.nodes[static_cast<size_t>(producer)];
    if (sigmoid.is("Sigmoid") && sigmoid.inputs[0] == node.inputs[1 - i]) return node.inputs[1 - i];
  }
  return ir::kNoValue;
}

void become_activation(ir::Node& node, ir::ValueId x, std::string_view name) {
  become_fused(node, "Activation", {x}, {{"activation", std::string(name)}});
}

}  // namespace

void fuse_activations(ir::Graph& graph) {
  const ir::Uses uses(graph);
  for (ir::Node& node : graph.nodes) {
    if (graph.value(node.outputs[0]).dtype != DType::kF32) continue;
    const ir::ValueId x = swish_input(graph, uses, node);
    if (x != ir::kNoValue) become_activation(node, x, "swish");
  }
  graph.compact();  // the Sigmoids of swishes are gone: those that remain stand alone
  for (ir::Node& node : graph.nodes) {
    if (graph.value(node.outputs[0]).dtype != DType::kF32) continue;
    const std::string_view name = activation_name(graph, node);
    if (!name.empty()) become_activation(node, node.inputs[0], name);
  }
}

void absorb_activations(ir::Graph& graph) {
  const ir::Uses uses(graph);
  for (ir::Node& node : graph.nodes) {
    if (node.domain != ir::kFusedDomain || (node.op != "Conv" && node.op != "DepthwiseConv" && node.op != "Mix"))
      continue;
    if (node.get_string("activation", "none") != "none") continue;
    const int reader = uses.sole_reader(node.outputs[0]);
    if (reader < 0) continue;
    ir::Node& activation = graph.nodes[static_cast<size_t>(reader)];
    if (activation.domain != ir::kFusedDomain || activation.op != "Activation") continue;
    node.attributes["activation"] = activation.attributes.at("activation");
    std::swap(node.outputs[0], activation.outputs[0]);  // the activation now makes a value that nobody reads
    activation.inputs = {node.outputs[0]};
  }
  graph.compact();
}

}  // namespace effdet::compiler
