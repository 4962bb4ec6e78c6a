// AveragePool of maps becomes ai.effdet::AveragePool.
#include "compiler/match.h"
#include "compiler/passes.h"
#include "compiler/window_attributes.h"

namespace effdet::compiler {

void fuse_average_pool(ir::Graph& graph) {
  for (ir::Node& node : graph.nodes) {
    if (!node.is("AveragePool")) continue;
    // Places after the padding, which ceil_mode may reach, count in neither mean: there is no attribute for that.
    if (node.get_int("ceil_mode", 0) != 0 && node.get_int("count_include_pad", 0) != 0) continue;
    if (!is_static_map(graph.value(node.inputs[0])) || !is_static_map(graph.value(node.outputs[0]))) continue;
    auto attributes = pool_attributes(graph, node);
    if (!attributes) continue;
    (*attributes)["count_include_pad"] = node.get_int("count_include_pad", 0);
    become_fused(node, "AveragePool", node.inputs, *attributes);
  }
}

}  // namespace effdet::compiler
