// Turns GlobalAveragePool into ReduceMean, which runtimes sum up more exactly.
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

constexpr int64_t kAxesAreInput = 18;  // opset in which ReduceMean's axes became one

std::vector<int64_t> spatial_axes(size_t rank) {
  std::vector<int64_t> axes;
  for (size_t axis = 2; axis < rank; ++axis) axes.push_back(static_cast<int64_t>(axis));
  return axes;
}

}  // namespace

bool pools_to_means(ir::Graph& graph) {
  bool changed = false;
  for (ir::Node& node : graph.nodes) {
    if (!node.is("GlobalAveragePool")) continue;
    const auto& shape = graph.value(node.inputs[0]).shape;
    if (!shape || shape->size() < 3) continue;
    const std::vector<int64_t> axes = spatial_axes(shape->size());
    node.op = "ReduceMean";
    node.attributes = {{"keepdims", int64_t{1}}};
    if (graph.opset < kAxesAreInput) {
      node.attributes["axes"] = axes;
    } else {
      const Tensor list = Tensor::from<int64_t>({static_cast<int64_t>(axes.size())}, axes);
      node.inputs.push_back(graph.add_constant(unique_name(graph, node.name + ".axes"), list));
    }
    changed = true;
  }
  return changed;
}

}  // namespace effdet::passes
