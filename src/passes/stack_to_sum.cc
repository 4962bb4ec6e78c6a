// Turns sums over a Concat of Unsqueezes into Add or Sum.
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// The one axis that an Unsqueeze adds or a ReduceSum takes away, from 0; -1 where that is not one known axis.
int64_t single_axis(const ir::Graph& graph, const ir::Node& node, ir::ValueId stacked) {
  const auto& shape = graph.value(stacked).shape;
  const auto axes = graph.opset >= 13 ? int_constant(graph, node.inputs.size() > 1 ? node.inputs[1] : ir::kNoValue)
                                      : std::optional(node.get_ints("axes", {}));
  if (!shape || !axes || axes->size() != 1) return -1;
  const auto rank = static_cast<int64_t>(shape->size());
  return (*axes)[0] < 0 ? (*axes)[0] + rank : (*axes)[0];
}

/// Finds sums of stacks.
class StackFinder {
 public:
  explicit StackFinder(const ir::Graph& graph) : graph_(graph), uses_(graph) {}

  /// What a ReduceSum adds up, where it is the sum of a stack; else empty.
  std::vector<ir::ValueId> terms(const ir::Node& sum) const {
    if (graph_.opset < 8) return {};  // Add and Sum do not broadcast as they do now
    if (!sum.is("ReduceSum") || sum.get_int("keepdims", 1) != 0) return {};
    const ir::Node* concat = producer(sum.inputs[0], "Concat");
    const int64_t axis = single_axis(graph_, sum, sum.inputs[0]);
    if (concat == nullptr || axis < 0 || !concatenates_along(*concat, axis)) return {};
    std::vector<ir::ValueId> terms;
    for (ir::ValueId id : concat->inputs) {
      const ir::Node* unsqueeze = producer(id, "Unsqueeze");
      if (unsqueeze == nullptr || single_axis(graph_, *unsqueeze, id) != axis) return {};
      terms.push_back(unsqueeze->inputs[0]);
    }
    return terms;
  }

 private:
  const ir::Node* producer(ir::ValueId id, std::string_view op) const {
    if (id == ir::kNoValue || uses_.producer(id) < 0) return nullptr;
    const ir::Node& node = graph_.nodes[static_cast<size_t>(uses_.producer(id))];
    return node.is(op) ? &node : nullptr;
  }

  bool concatenates_along(const ir::Node& concat, int64_t axis) const {
    const int64_t own = concat.get_int("axis", 0);
    return own == axis || own + static_cast<int64_t>(graph_.value(concat.outputs[0]).shape->size()) == axis;
  }

  const ir::Graph& graph_;
  ir::Uses uses_;
};

/// The node that adds the terms up, from left to right.
ir::Node sum_of(const ir::Node& sum, const std::vector<ir::ValueId>& terms) {
  return {terms.size() == 2 ? "Add" : "Sum", "", sum.name, terms, sum.outputs, {}};
}

}  // namespace

bool stack_to_sum(ir::Graph& graph) {
  const StackFinder finder(graph);
  std::vector<std::vector<ir::ValueId>> found;
  for (const ir::Node& node : graph.nodes) found.push_back(finder.terms(node));
  bool changed = false;
  for (size_t n = 0; n < found.size(); ++n) {
    if (found[n].size() < 2) continue;
    graph.nodes[n] = sum_of(graph.nodes[n], found[n]);
    changed = true;
  }
  return changed;
}

}  // namespace effdet::passes
