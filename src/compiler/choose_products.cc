#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {

void choose_products(ir::Graph& graph, const LayerChoices& choices) {
  for (ir::Node& node : graph.nodes) {
    if (node.domain != ir::kFusedDomain) continue;
    if (node.op != "DepthwisePointwise" && !(node.op == "Conv" && is_pointwise(node))) continue;
    const std::string key = layer_key(graph, node.op, node, node.inputs[0], node.outputs[0]);
    if (const auto strassen = choices.uses_strassen(node.name, key))
      node.attributes["product"] = std::string(*strassen ? "strassen" : "direct");
  }
}

}  // namespace effdet::compiler
