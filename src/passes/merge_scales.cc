// Merges multiplications by one number that follow each other.
#include <algorithm>
#include <cmath>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// x times (or over) a constant of one element.
struct Scaling {
  ir::ValueId x;
  double factor;
  size_t constant_rank;
};

std::optional<Scaling> scaling_of(const ir::Graph& graph, const ir::Node& node) {
  const bool multiplies = node.is("Mul");
  if ((!multiplies && !node.is("Div")) || node.inputs.size() != 2) return std::nullopt;
  for (size_t side = 0; side < (multiplies ? 2 : 1); ++side) {
    const ir::ValueId x = node.inputs[side], other = node.inputs[1 - side];
    const auto value = scalar_constant(graph, other);
    if (!value || graph.constant(x) != nullptr || graph.value(x).dtype != DType::kF32) continue;
    if (!multiplies && *value == 0) return std::nullopt;
    return Scaling{x, multiplies ? *value : 1 / *value, graph.constant(other)->rank()};
  }
  return std::nullopt;
}

/// Merges the scaling before `node` into it. Others may go on reading that one: no node is added.
bool merge(ir::Graph& graph, const ir::Uses& uses, UniqueNames& names, ir::Node& node) {
  const auto outer = scaling_of(graph, node);
  if (!outer || uses.producer(outer->x) < 0) return false;
  const auto inner = scaling_of(graph, graph.nodes[static_cast<size_t>(uses.producer(outer->x))]);
  if (!inner || !std::isfinite(inner->factor * outer->factor)) return false;
  const size_t rank = std::max(inner->constant_rank, outer->constant_rank);  // broadcasting may have added dimensions
  Tensor factor(DType::kF32, Shape(rank, 1));
  factor.mutable_data<float>()[0] = static_cast<float>(inner->factor * outer->factor);
  const ir::ValueId constant = graph.add_constant(names.make(node.name + ".factor"), factor);
  node.op = "Mul";
  node.inputs = {inner->x, constant};
  return true;
}

}  // namespace

bool merge_scales(ir::Graph& graph) {
  const ir::Uses uses(graph);  // stays valid: what makes a value does not change
  UniqueNames names(graph);
  bool changed = false;
  for (ir::Node& node : graph.nodes) changed = merge(graph, uses, names, node) || changed;
  return changed;
}

}  // namespace effdet::passes
