// Which convolutions multiply by Strassen's or Winograd's scheme, where that was measured.
#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

/// The scheme by which a layer's products may be fewer; empty where there is none.
std::string_view scheme_of(const ir::Node& node) {
  if (is_fused(node, "DepthwisePointwise")) return "strassen";
  if (!is_fused(node, "Conv")) return "";
  const auto conv = ops::ConvAttributes::of(node);
  if (conv.is_pointwise()) return "strassen";
  const ops::Window2d& w = conv.window;
  const bool is_small_window = w.kernel_height == 3 && w.kernel_width == 3 && w.stride_y == 1 && w.stride_x == 1;
  return is_small_window && conv.group == 1 ? "winograd" : "";
}

}  // namespace

void choose_products(ir::Graph& graph, const LayerChoices& choices) {
  for (ir::Node& node : graph.nodes) {
    const std::string_view scheme = scheme_of(node);
    if (scheme.empty()) continue;
    const std::string key = layer_key(graph, node.op, node, node.inputs[0], node.outputs[0]);
    if (const auto fewer = choices.takes_fewer_products(node.name, key))
      node.attributes["product"] = std::string(*fewer ? scheme : "direct");
  }
}

}  // namespace effdet::compiler
