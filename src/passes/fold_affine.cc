// Folds Mul, Add, Sub and Div by a constant per channel into the convolution before them.
#include "passes/conv_affine.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

bool fold(const ir::Graph& graph, AffineFolder& folder, const ir::Node& node) {
  if (!node.domain.empty() || node.inputs.size() != 2) return false;
  for (size_t side = 0; side < 2; ++side) {
    if (graph.constant(node.inputs[1 - side]) == nullptr) continue;
    const auto convs = folder.sole_convs(node.inputs[side]);
    const auto affine = convs ? elementwise_affine(graph, node, side, convs->channels, convs->rank) : std::nullopt;
    if (affine) return folder.fold(*convs, *affine, node.outputs[0]);
  }
  return false;
}

}  // namespace

bool fold_affine(ir::Graph& graph, RewriteBudget& budget) {
  AffineFolder folder(graph, budget);
  std::vector<bool> drop(graph.nodes.size(), false);
  for (size_t n = 0; n < graph.nodes.size(); ++n) drop[n] = fold(graph, folder, graph.nodes[n]);
  return erase_nodes(graph, drop);
}

}  // namespace effdet::passes
