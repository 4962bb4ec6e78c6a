// Merges equal constants, and nodes that compute the same from the same values.
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "passes/value_numbers.h"

namespace effdet::passes {
namespace {

std::string node_key(const ir::Node& node, const Replacements& replacements) {
  std::string key = fmt::format("{}|{}|{}", node.domain, node.op, node.outputs.size());
  for (ir::ValueId id : node.inputs) key += fmt::format("|{}", replacements.resolve(id));
  for (const auto& [name, value] : node.attributes) key += fmt::format("|{}={}", name, attribute_key(value));
  return key;
}

}  // namespace

bool merge_equal_nodes(ir::Graph& graph) {
  std::vector<bool> fixed(graph.value_count(), false);  // graph outputs keep their producers
  for (ir::ValueId id : graph.outputs) fixed[static_cast<size_t>(id)] = true;
  Replacements replacements(graph);
  std::unordered_map<std::string, size_t> seen;
  std::vector<ir::Node> kept;
  for (ir::Node& node : graph.nodes) {
    if (node.opaque) {  // it may be random
      kept.push_back(std::move(node));
      continue;
    }
    const auto [found, is_new] = seen.emplace(node_key(node, replacements), kept.size());
    bool merged = !is_new;
    for (size_t i = 0; merged && i < node.outputs.size(); ++i) {
      const ir::ValueId out = node.outputs[i];
      if (out != ir::kNoValue && (fixed[static_cast<size_t>(out)] || kept[found->second].outputs[i] == ir::kNoValue))
        merged = false;
    }
    if (!merged) {
      kept.push_back(std::move(node));
      continue;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i] != ir::kNoValue) replacements.replace(node.outputs[i], kept[found->second].outputs[i]);
  }
  const bool changed = kept.size() != graph.nodes.size();
  graph.nodes = std::move(kept);
  replacements.apply(graph);
  return changed;
}

bool merge_equal_constants(ir::Graph& graph) {
  // Hashing all weights takes longer than everything else here: only those with a namesake in type and shape are looked
  // at.
  std::map<std::pair<DType, Shape>, std::vector<ir::ValueId>> alike;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    if (const Tensor* tensor = graph.constant(id)) alike[{tensor->dtype(), tensor->shape()}].push_back(id);
  }
  std::vector<bool> fixed(graph.value_count(), false);
  for (ir::ValueId id : graph.outputs) fixed[static_cast<size_t>(id)] = true;
  Replacements replacements(graph);
  bool changed = false;
  for (const auto& [kind, ids] : alike) {
    if (ids.size() < 2) continue;
    std::unordered_map<std::string_view, ir::ValueId> first;
    for (ir::ValueId id : ids) {
      const auto [found, is_new] = first.emplace(bytes_of(*graph.constant(id)), id);
      if (is_new || fixed[static_cast<size_t>(id)]) continue;
      replacements.replace(id, found->second);
      changed = true;
    }
  }
  replacements.apply(graph);
  return changed;
}

}  // namespace effdet::passes
