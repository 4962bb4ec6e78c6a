// QLinearConv and its like become the operator on floats between DequantizeLinear and QuantizeLinear.
#include <map>

#include "ops/quantized_nodes.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// What shape inference found of a node's inputs.
std::vector<ops::InputInfo> infos_of(const ir::Graph& graph, const ir::Node& node) {
  std::vector<ops::InputInfo> infos;
  for (ir::ValueId id : node.inputs) {
    if (id == ir::kNoValue) {
      infos.push_back({});
      continue;
    }
    const ir::Value& value = graph.value(id);
    infos.push_back({.present = true, .dtype = value.dtype, .shape = value.shape, .value = graph.constant(id)});
  }
  return infos;
}

/// Appends the nodes that stand for one.
void spell(ir::Graph& graph, const ir::Node& node, UniqueNames& names, std::vector<ir::Node>& nodes) {
  const auto [spelled, operands] = ops::spelled_out(node, graph.opset, infos_of(graph, node));
  std::map<ir::ValueId, ir::ValueId> ids{{ir::kNoValue, ir::kNoValue}, {spelled.outputs[0], node.outputs[0]}};
  for (size_t i = 0; i < operands.size(); ++i) ids[operands[i]] = node.inputs[i];
  const auto id_of = [&](ir::ValueId id, std::string_view suffix) {
    const auto [place, is_new] = ids.emplace(id, ir::kNoValue);
    if (!is_new) return place->second;
    const std::string name = names.make(fmt::format("{}.{}", node.name, suffix));
    if (const Tensor* constant = spelled.constant(id)) return place->second = graph.add_constant(name, *constant);
    return place->second = graph.add_value({name, DType::kUnknown});
  };
  for (ir::Node part : spelled.nodes) {
    for (ir::ValueId& id : part.inputs) id = id_of(id, "zero_point");
    for (ir::ValueId& id : part.outputs) id = id_of(id, part.op);
    if (part.op.ends_with("tizeLinear")) part.name = fmt::format("{}.{}", node.name, part.op);
    nodes.push_back(std::move(part));
  }
}

}  // namespace

bool spell_quantized(ir::Graph& graph) {
  UniqueNames names(graph);
  std::vector<ir::Node> nodes;
  bool changed = false;
  for (const ir::Node& node : graph.nodes) {
    if (ops::is_quantized_node(node)) {
      spell(graph, node, names, nodes);
      changed = true;
    } else {
      nodes.push_back(node);
    }
  }
  graph.nodes = std::move(nodes);
  return changed;
}

}  // namespace effdet::passes
