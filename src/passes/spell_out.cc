// Nodes that stand for several others become these: Attention, and QLinearConv and its like, whose operator is on
// floats between DequantizeLinear and QuantizeLinear then, as are operators that move codes from QuantizeLinear on.
#include <algorithm>
#include <map>
#include <string_view>

#include "ops/resize.h"
#include "ops/spelled_out.h"
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

/// Appends the nodes that one stands for, or itself where these depend on sizes that are not known.
void spell(ir::Graph& graph, const ir::Node& node, UniqueNames& names, std::vector<ir::Node>& nodes) {
  const auto spelling = ops::spelled_out(node, graph.opset, infos_of(graph, node));
  if (!spelling) return nodes.push_back(node);
  const auto& [spelled, operands] = *spelling;
  std::map<ir::ValueId, ir::ValueId> ids{{ir::kNoValue, ir::kNoValue}};
  size_t made = 0;
  for (const ir::ValueId id : node.outputs)
    if (id != ir::kNoValue) ids[spelled.outputs[made++]] = id;
  for (size_t i = 0; i < operands.size(); ++i) ids[operands[i]] = node.inputs[i];
  const auto id_of = [&](ir::ValueId id, std::string_view suffix) {
    const auto [place, is_new] = ids.emplace(id, ir::kNoValue);
    if (!is_new) return place->second;
    const std::string name = names.make(fmt::format("{}.{}", node.name, suffix));
    if (const Tensor* constant = spelled.constant(id)) return place->second = graph.add_constant(name, *constant);
    return place->second = graph.add_value({name, DType::kUnknown});
  };
  for (ir::Node part : spelled.nodes) {
    for (ir::ValueId& id : part.inputs) id = id_of(id, "constant");
    for (ir::ValueId& id : part.outputs) id = id_of(id, part.op);
    if (part.op.ends_with("tizeLinear")) part.name = fmt::format("{}.{}", node.name, part.op);
    nodes.push_back(std::move(part));
  }
}

/// Scale and zero point of codes, by the codes.
using Roundings = std::map<ir::ValueId, std::pair<ir::ValueId, ir::ValueId>>;

/// Remembers what the last of the nodes makes.
void note_rounding(const ir::Graph& graph, const ir::Node& node, Roundings& roundings) {
  if (!node.is("QuantizeLinear") || node.inputs.size() < 3) return;
  const Tensor* scale = graph.constant(node.inputs[1]);
  if (scale != nullptr && scale->numel() == 1 && graph.constant(node.inputs[2]) != nullptr)
    roundings[node.outputs[0]] = {node.inputs[1], node.inputs[2]};
}

/// Appends the node between DequantizeLinear and QuantizeLinear, where its first input's rounding is known.
void append_mover(ir::Graph& graph, ir::Node node, const Roundings& roundings, UniqueNames& names,
                  std::vector<ir::Node>& nodes) {
  const auto found = roundings.find(node.inputs.empty() ? ir::kNoValue : node.inputs[0]);
  if (found == roundings.end() || !moves_first_input(node)) {
    nodes.push_back(std::move(node));
    return;
  }
  const auto [scale, zero] = found->second;
  const auto floats = [&](std::string_view suffix) {
    return graph.add_value({names.make(fmt::format("{}.{}", node.name, suffix)), DType::kUnknown});
  };
  const ir::ValueId in = floats("numbers"), out = floats("moved"), codes = node.outputs[0];
  nodes.push_back({"DequantizeLinear", "", node.name + ".DequantizeLinear", {node.inputs[0], scale, zero}, {in}});
  node.inputs[0] = in;
  node.outputs[0] = out;
  const std::string name = node.name;
  nodes.push_back(std::move(node));
  nodes.push_back({"QuantizeLinear", "", name + ".QuantizeLinear", {out, scale, zero}, {codes}});
}

}  // namespace

bool moves_first_input(const ir::Node& node) {
  if (node.opaque || node.outputs.size() != 1) return false;
  if (ops::is_nearest_resize(node)) return true;
  constexpr std::string_view kMovers[] = {"MaxPool", "Reshape", "Transpose", "Squeeze",      "Unsqueeze",
                                          "Flatten", "Slice",   "Identity",  "DepthToSpace", "SpaceToDepth"};
  return std::ranges::any_of(kMovers, [&](std::string_view op) { return node.is(op); });
}

bool spell_out(ir::Graph& graph) {
  UniqueNames names(graph);
  Roundings roundings;
  std::vector<ir::Node> nodes;
  for (const ir::Node& node : graph.nodes) {
    const size_t first = nodes.size();
    if (ops::stands_for_others(node)) {
      spell(graph, node, names, nodes);
    } else {
      append_mover(graph, node, roundings, names, nodes);
    }
    for (size_t i = first; i < nodes.size(); ++i) nodes[i].conditional = node.conditional;
    note_rounding(graph, nodes.back(), roundings);
  }
  const bool changed = nodes.size() != graph.nodes.size();
  graph.nodes = std::move(nodes);
  return changed;
}

}  // namespace effdet::passes
