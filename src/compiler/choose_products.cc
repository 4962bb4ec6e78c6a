#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {

void choose_products(ir::Graph& graph, const LayerChoices& choices) {
  for (ir::Node& node : graph.nodes) {
    if (node.domain != ir::kFusedDomain) continue;
    if ((node.op == "Conv" && is_pointwise(node)) || node.op == "DepthwisePointwise")
      choices.choose_product(graph, node);
  }
}

}  // namespace effdet::compiler
