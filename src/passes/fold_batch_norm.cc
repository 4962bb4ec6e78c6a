// Folds batch norms into the convolution before them.
#include "passes/conv_affine.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {

bool fold_batch_norm(ir::Graph& graph, RewriteBudget& budget) {
  AffineFolder folder(graph, budget);
  std::vector<bool> drop(graph.nodes.size(), false);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& norm = graph.nodes[n];
    // In training mode the statistics are the input's own.
    if (!norm.is("BatchNormalization") || norm.get_int("training_mode", 0) != 0) continue;
    const auto convs = folder.sole_convs(norm.inputs[0]);
    const auto affine = convs ? batch_norm_affine(graph, norm, convs->channels) : std::nullopt;
    if (!affine) continue;
    drop[n] = folder.fold(*convs, *affine, norm.outputs[0]);
  }
  return erase_nodes(graph, drop);
}

}  // namespace effdet::passes
