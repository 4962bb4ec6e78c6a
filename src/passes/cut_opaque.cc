// Replaces opaque nodes by inputs of the same names in both graphs.
#include "passes/cut_opaque.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "passes/rewrite.h"
#include "passes/value_numbers.h"

namespace effdet::passes {
namespace {

/// What an opaque node is, but for the values it reads, which are compared themselves, and the names of those it makes,
/// which change where an Identity after it goes.
std::string key_of(const ir::Node& node) {
  std::string key = fmt::format("{}|{}|{}", node.domain, node.op, node.name);
  for (const auto* ids : {&node.inputs, &node.outputs}) {
    key += '|';
    for (ir::ValueId id : *ids) key += id == ir::kNoValue ? '-' : '+';
  }
  for (const auto& [name, value] : node.attributes) key += fmt::format("|{}={}", name, attribute_key(value));
  return key;
}

/// In an order that does not depend on that of the nodes in the graph.
using OpaqueNodes = std::vector<std::pair<std::string, const ir::Node*>>;

OpaqueNodes opaque_nodes(const ir::Graph& graph) {
  OpaqueNodes nodes;
  for (const ir::Node& node : graph.nodes)
    if (node.opaque) nodes.emplace_back(key_of(node), &node);
  std::ranges::stable_sort(nodes, {}, &OpaqueNodes::value_type::first);
  return nodes;
}

/// Whether a random tensor can stand for a value in both graphs.
bool can_be_input(const ir::Value& a, const ir::Value& b) {
  return a.dtype != DType::kUnknown && a.dtype == b.dtype && is_static(a.shape) && a.shape == b.shape;
}

/// Cuts one of the graphs; `other` is the one that decides with it what can be an input.
class Cutter {
 public:
  Cutter(const ir::Graph& graph, const OpaqueNodes& nodes, const ir::Graph& other, const OpaqueNodes& other_nodes)
      : graph_(graph), nodes_(nodes), lost_(graph.value_count(), false) {
    for (size_t i = 0; i < lost_.size(); ++i)
      lost_[i] = graph.value(static_cast<ir::ValueId>(i)).initializer != nullptr;
    for (size_t i = 0; i < nodes.size(); ++i)
      for (size_t k = 0; k < nodes[i].second->outputs.size(); ++k) {
        const ir::ValueId id = nodes[i].second->outputs[k];
        if (id != ir::kNoValue)
          lost_[static_cast<size_t>(id)] =
              !can_be_input(graph.value(id), other.value(other_nodes[i].second->outputs[k]));
      }
    for (const ir::Node& node : graph.nodes)
      if (!node.opaque && std::ranges::any_of(node.inputs, [&](ir::ValueId id) { return is_lost(id); }))
        for (ir::ValueId id : node.outputs)
          if (id != ir::kNoValue) lost_[static_cast<size_t>(id)] = true;
  }

  /// What can be run of the graph, which is given away: copies of large graphs are large.
  ir::Graph rest_of(ir::Graph graph) const {
    std::erase_if(graph.outputs, [&](ir::ValueId id) { return is_lost(id); });
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const ir::Node& node = *nodes_[i].second;  // of this graph, where it still stands
      for (ir::ValueId id : node.inputs)
        if (id != ir::kNoValue && !is_lost(id)) graph.outputs.push_back(id);
      for (size_t k = 0; k < node.outputs.size(); ++k) {
        const ir::ValueId id = node.outputs[k];
        if (id == ir::kNoValue || is_lost(id)) continue;
        graph.inputs.push_back(id);
        graph.value(id).name = fmt::format("{}:{} of {}", i, k, node.name);
      }
    }
    std::erase_if(graph.nodes, [&](const ir::Node& node) {
      return node.opaque || std::ranges::any_of(node.inputs, [&](ir::ValueId id) { return is_lost(id); });
    });
    return graph;
  }

  std::vector<std::string> lost_outputs() const {
    std::vector<std::string> names;
    for (ir::ValueId id : graph_.outputs)
      if (is_lost(id)) names.push_back(graph_.value(id).name);
    return names;
  }

 private:
  bool is_lost(ir::ValueId id) const { return id != ir::kNoValue && lost_[static_cast<size_t>(id)]; }

  const ir::Graph& graph_;
  const OpaqueNodes& nodes_;
  std::vector<bool> lost_;
};

}  // namespace

CutGraphs cut_opaque(ir::Graph a, ir::Graph b) {
  const OpaqueNodes in_a = opaque_nodes(a), in_b = opaque_nodes(b);
  CutGraphs cut{.opaque = in_b.size()};
  std::set<std::string> operators;
  for (const auto& [key, node] : in_b) operators.insert(node->op);
  cut.operators.assign(operators.begin(), operators.end());
  cut.same = std::ranges::equal(in_a, in_b, {}, &OpaqueNodes::value_type::first, &OpaqueNodes::value_type::first);
  if (!cut.same) return cut;
  const Cutter cut_a(a, in_a, b, in_b), cut_b(b, in_b, a, in_a);
  cut.lost = cut_b.lost_outputs();
  cut.same = cut_a.lost_outputs() == cut.lost;
  cut.a = cut_a.rest_of(std::move(a));
  cut.b = cut_b.rest_of(std::move(b));
  return cut;
}

}  // namespace effdet::passes
