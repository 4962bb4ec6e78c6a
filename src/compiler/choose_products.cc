#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

/// The scheme by which a layer's products may be fewer; empty where there is none.
std::string_view scheme_of(const ir::Node& node) {
  if (node.op == "DepthwisePointwise") return "strassen";
  if (node.op != "Conv") return "";
  if (is_pointwise(node)) return "strassen";
  const std::vector<int64_t> ones{1, 1}, window{3, 3};
  const bool fits = node.get_int("group", 1) == 1 && node.get_ints("kernel_shape", ones) == window &&
                    node.get_ints("strides", ones) == ones;
  return fits ? "winograd" : "";
}

}  // namespace

void choose_products(ir::Graph& graph, const LayerChoices& choices) {
  for (ir::Node& node : graph.nodes) {
    if (node.domain != ir::kFusedDomain) continue;
    const std::string_view scheme = scheme_of(node);
    if (scheme.empty()) continue;
    const std::string key = layer_key(graph, node.op, node, node.inputs[0], node.outputs[0]);
    if (const auto fewer = choices.takes_fewer_products(node.name, key))
      node.attributes["product"] = std::string(*fewer ? scheme : "direct");
  }
}

}  // namespace effdet::compiler
