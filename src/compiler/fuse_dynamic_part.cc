// Nodes whose tensors have as many rows as the image's content says become one ai.effdet::DynamicPart.
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "compiler/match.h"
#include "compiler/passes.h"
#include "compiler/row_limits.h"
#include "ops/fused/dynamic_part.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

/// Key of the metadata (docs/onnx-metadata.md): outputs that are filled up.
constexpr const char* kRowLimits = "effdet.row_limits";

/// Which nodes belong to the part: those that read or make what has no known shape, those of branches that may not be
/// taken, and those on the way from one of them to another, so that what is left comes before the part or after it.
std::vector<bool> part_of(const ir::Graph& graph) {
  const auto is_open = [&](ir::ValueId id) { return id != ir::kNoValue && !passes::is_static(graph.value(id).shape); };
  std::vector<bool> inside(graph.nodes.size(), false);
  std::vector<bool> after(graph.value_count(), false), before(graph.value_count(), false);
  const auto any = [](const std::vector<ir::ValueId>& ids, const std::vector<bool>& flags) {
    return std::ranges::any_of(ids,
                               [&](ir::ValueId id) { return id != ir::kNoValue && flags[static_cast<size_t>(id)]; });
  };
  const auto set = [](const std::vector<ir::ValueId>& ids, std::vector<bool>& flags) {
    for (const ir::ValueId id : ids)
      if (id != ir::kNoValue) flags[static_cast<size_t>(id)] = true;
  };
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& node = graph.nodes[n];
    inside[n] = std::ranges::any_of(node.inputs, is_open) || std::ranges::any_of(node.outputs, is_open) ||
                node.conditional || is_fused(node, "Choose");
    if (inside[n] || any(node.inputs, after)) set(node.outputs, after);
  }
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const ir::Node& node = graph.nodes[n];
    const bool leads_there = any(node.outputs, before);
    inside[n] = inside[n] || (leads_there && any(node.inputs, after));
    if (inside[n] || leads_there) set(node.inputs, before);
  }
  return inside;
}

/// The part as a graph of its own, and what it reads and makes in the one around it.
struct Part {
  ir::Graph graph;
  std::vector<ir::ValueId> reads, makes;

  Part(const ir::Graph& whole, const std::vector<bool>& inside) {
    std::vector<ir::ValueId> own(whole.value_count(), ir::kNoValue);
    const ir::Uses uses(whole);
    const auto is_inside = [&](int node) { return node >= 0 && inside[static_cast<size_t>(node)]; };
    const auto read = [&](ir::ValueId id) {
      if (id == ir::kNoValue || is_inside(uses.producer(id))) return;
      ir::ValueId& mine = own[static_cast<size_t>(id)];
      if (mine != ir::kNoValue) return;
      mine = graph.add_value(whole.value(id));
      graph.inputs.push_back(mine);
      reads.push_back(id);
    };
    const auto each = [&](auto&& visit) {
      for (size_t n = 0; n < inside.size(); ++n)
        if (inside[n]) visit(whole.nodes[n]);
    };
    each([&](const ir::Node& node) { std::ranges::for_each(node.inputs, read); });
    each([&](const ir::Node& node) {
      ir::Node inner = node;
      for (ir::ValueId& id : inner.inputs)
        if (id != ir::kNoValue) id = own[static_cast<size_t>(id)];
      for (ir::ValueId& id : inner.outputs) {
        if (id == ir::kNoValue) continue;
        const ir::ValueId outer = std::exchange(id, graph.add_value(whole.value(id)));
        own[static_cast<size_t>(outer)] = id;
        const auto& readers = uses.readers(outer);
        if (!uses.is_output(outer) && std::ranges::all_of(readers, is_inside)) continue;
        graph.outputs.push_back(id);
        makes.push_back(outer);
      }
      graph.nodes.push_back(std::move(inner));
    });
  }
};

}  // namespace

void fuse_dynamic_part(ir::Graph& graph) {
  const std::vector<bool> inside = part_of(graph);
  const auto count = static_cast<size_t>(std::ranges::count(inside, true));
  if (count == 0 || count > ops::kMostPartNodes) return;
  for (size_t n = 0; n < inside.size(); ++n)
    if (inside[n] && !ops::fits_dynamic_part(graph.nodes[n])) return;
  const std::vector<std::optional<Shape>> limits = shape_limits(graph);
  const Part part(graph, inside);
  std::vector<Shape> shapes;
  for (const ir::ValueId id : part.makes) {
    const auto& limit = limits[static_cast<size_t>(id)];
    if (!limit) return;
    shapes.push_back(*limit);
  }
  std::vector<std::string> open;
  for (const ir::ValueId id : graph.outputs)
    if (const ir::Value& value = graph.value(id); !passes::is_static(value.shape))
      open.push_back(fmt::format("'{}' {}", value.name, shape_text(*limits[static_cast<size_t>(id)])));
  if (!open.empty()) graph.metadata[kRowLimits] = fmt::format("{}", fmt::join(open, ", "));
  const size_t first = static_cast<size_t>(std::ranges::find(inside, true) - inside.begin());
  ir::Node node{"DynamicPart",
                std::string(ir::kFusedDomain),
                graph.nodes[first].name,
                part.reads,
                part.makes,
                ops::dynamic_part_attributes(part.graph, shapes)};
  passes::erase_nodes(graph, inside);
  graph.nodes.push_back(std::move(node));
  ir::sort_nodes(graph);
  graph.compact();
}

}  // namespace effdet::compiler
