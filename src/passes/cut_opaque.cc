#include "passes/cut_opaque.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "passes/rewrite.h"
#include "passes/value_numbers.h"

namespace effdet::passes {
namespace {

/// What an opaque node is, but for the values it reads, which are compared themselves.
std::string key_of(const ir::Graph& graph, const ir::Node& node) {
  std::string key = fmt::format("{}|{}|{}", node.domain, node.op, node.name);
  for (ir::ValueId id : node.inputs) key += id == ir::kNoValue ? "|-" : "|+";
  for (ir::ValueId id : node.outputs) key += id == ir::kNoValue ? "|-" : "|" + graph.value(id).name;
  for (const auto& [name, value] : node.attributes) key += fmt::format("|{}={}", name, attribute_key(value));
  return key + "\n";
}

/// Whether a random tensor can stand for the value.
bool can_be_input(const ir::Value& value) { return value.dtype != DType::kUnknown && is_static(value.shape); }

/// Marks what cannot be computed without opaque nodes, nor be random.
std::vector<bool> lost_values(const ir::Graph& graph) {
  std::vector<bool> lost(graph.value_count(), false);
  for (size_t i = 0; i < graph.value_count(); ++i)
    lost[i] = graph.value(static_cast<ir::ValueId>(i)).initializer != nullptr;
  const auto is_lost = [&](ir::ValueId id) { return id != ir::kNoValue && lost[static_cast<size_t>(id)]; };
  for (const ir::Node& node : graph.nodes) {
    const bool goes = !node.opaque && std::ranges::any_of(node.inputs, is_lost);
    for (ir::ValueId id : node.outputs)
      if (id != ir::kNoValue && (goes || (node.opaque && !can_be_input(graph.value(id)))))
        lost[static_cast<size_t>(id)] = true;
  }
  return lost;
}

}  // namespace

CutGraph cut_opaque(const ir::Graph& graph) {
  CutGraph cut{.graph = graph};  // constants are shared
  const std::vector<bool> lost = lost_values(graph);
  const auto is_lost = [&](ir::ValueId id) { return id != ir::kNoValue && lost[static_cast<size_t>(id)]; };
  std::map<std::string, const ir::Node*> opaque;  // in an order that does not depend on that of the nodes
  for (const ir::Node& node : graph.nodes)
    if (node.opaque) opaque.emplace(key_of(graph, node), &node);
  std::erase_if(cut.graph.nodes,
                [&](const ir::Node& node) { return node.opaque || std::ranges::any_of(node.inputs, is_lost); });
  for (ir::ValueId id : graph.outputs)
    if (is_lost(id)) cut.lost.push_back(graph.value(id).name);
  std::erase_if(cut.graph.outputs, is_lost);
  std::set<std::string> operators;
  for (const auto& [key, node] : opaque) {
    cut.keys += key;
    operators.insert(node->op);
    for (ir::ValueId id : node->inputs)
      if (id != ir::kNoValue && !is_lost(id)) cut.graph.outputs.push_back(id);
    for (ir::ValueId id : node->outputs)
      if (id != ir::kNoValue && !is_lost(id)) cut.graph.inputs.push_back(id);
  }
  cut.opaque = opaque.size();
  cut.operators.assign(operators.begin(), operators.end());
  return cut;
}

}  // namespace effdet::passes
