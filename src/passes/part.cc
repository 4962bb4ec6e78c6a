// Grows the part of two graphs around values that differ, until only equal values lead into it.
#include "passes/part.h"

#include <algorithm>

#include "ops/op.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// Parts are a handful of nodes; one with more is no part any more, and takes as long as the whole.
constexpr size_t kMostNodes = 1000;
constexpr int kMostOpenings = 200;

}  // namespace

NumberedGraph::NumberedGraph(ir::Graph numbered)
    : graph(std::move(numbered)), numbers(graph.value_count(), -1), producers(graph.value_count(), -1) {
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (ir::ValueId id : graph.nodes[n].outputs)
      if (id != ir::kNoValue && graph.constant(id) == nullptr) producers[static_cast<size_t>(id)] = static_cast<int>(n);
}

void NumberedGraph::set(ir::ValueId id, Number number) {
  numbers[static_cast<size_t>(id)] = number;
  values_.emplace(number, id);
}

ir::ValueId NumberedGraph::value_of(Number number) const {
  const auto found = values_.find(number);
  return found == values_.end() ? ir::kNoValue : found->second;
}

bool PartFinder::is_constant(Number number) const {
  return a_.graph.constant(a_.value_of(number)) != nullptr || b_.graph.constant(b_.value_of(number)) != nullptr;
}

bool PartFinder::is_input(Number number) const {
  const ir::ValueId id = a_.value_of(number);
  return id != ir::kNoValue && a_.producer(id) < 0;
}

bool PartFinder::is_cut(Number number) const {
  const ir::ValueId in_a = a_.value_of(number), in_b = b_.value_of(number);
  if (in_a == ir::kNoValue || in_b == ir::kNoValue) return false;
  const ir::Value& value = a_.graph.value(in_a);
  return is_float(value.dtype) && is_static(value.shape);
}

std::optional<Cone> PartFinder::cone(const NumberedGraph& side, ir::ValueId target, const std::set<Number>& opened,
                                     std::string& obstacle) const {
  Cone cone{.target = target};
  std::set<int> nodes;
  std::vector<ir::ValueId> open{target};
  while (!open.empty()) {
    const ir::ValueId id = open.back();
    open.pop_back();
    const Number number = side.number(id);
    if (side.graph.constant(id) != nullptr || (id != target && is_constant(number))) continue;
    const int node = side.producer(id);
    if (node < 0 || (id != target && is_cut(number) && !opened.contains(number))) {
      cone.frontier.insert(number);
      continue;
    }
    if (!nodes.insert(node).second) continue;
    const ir::Node& producer = side.graph.nodes[static_cast<size_t>(node)];
    if (nodes.size() > kMostNodes || producer.opaque) {
      obstacle = ops::node_label(producer);
      return std::nullopt;
    }
    for (ir::ValueId input : producer.inputs)
      if (input != ir::kNoValue) open.push_back(input);
  }
  cone.nodes.assign(nodes.begin(), nodes.end());
  return cone;
}

std::optional<Part> PartFinder::close(Part part, std::string& obstacle) const {
  for (int round = 0; round < kMostOpenings; ++round) {
    auto a = cone(a_, part.a.target, part.opened, obstacle);
    auto b = a ? cone(b_, part.b.target, part.opened, obstacle) : std::nullopt;
    if (!b) return std::nullopt;
    std::set<Number> single;
    std::ranges::set_symmetric_difference(a->frontier, b->frontier, std::inserter(single, single.end()));
    std::erase_if(single, [&](Number number) { return is_input(number); });
    if (single.empty()) {
      part.a = std::move(*a);
      part.b = std::move(*b);
      part.inputs.clear();
      std::ranges::set_union(part.a.frontier, part.b.frontier, std::inserter(part.inputs, part.inputs.end()));
      return part;
    }
    // The latest: what makes it may lead to the others.
    part.opened.insert(
        *std::ranges::max_element(single, {}, [&](Number number) { return a_.producer(a_.value_of(number)); }));
  }
  obstacle = ops::node_label(b_.graph.nodes[static_cast<size_t>(std::max(0, b_.producer(part.b.target)))]);
  return std::nullopt;
}

std::optional<Part> PartFinder::find(ir::ValueId in_a, ir::ValueId in_b, std::string& obstacle) const {
  Part part;
  part.a.target = in_a;
  part.b.target = in_b;
  return close(std::move(part), obstacle);
}

std::optional<Part> PartFinder::widened(const Part& part, std::string& obstacle) const {
  Part wider;
  wider.a.target = part.a.target;
  wider.b.target = part.b.target;
  wider.opened = part.opened;
  wider.opened.insert(part.inputs.begin(), part.inputs.end());
  return close(std::move(wider), obstacle);
}

}  // namespace effdet::passes
