// A DepthwiseConv and the 1x1 Conv after it become ai.effdet::DepthwisePointwise.
#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

// Fusion pays where the map between would go through memory. The weights are read again for every tile: they should
// stay in a cache.
constexpr int64_t kLeastBytes = 1 << 20, kMostWeightBytes = 2 << 20;

bool is_worth_it(const ir::Graph& graph, const ir::Node& depthwise, const ir::Node& pointwise) {
  const Shape& map = *graph.value(depthwise.outputs[0]).shape;
  const int64_t weight_bytes = map[1] * ops::ConvAttributes::of(pointwise).out_channels * 4;
  return map[1] * map[2] * map[3] * 4 >= kLeastBytes && weight_bytes <= kMostWeightBytes;
}

}  // namespace

void fuse_depthwise_pointwise(ir::Graph& graph, const LayerChoices& choices) {
  using Conv = ops::ConvAttributes;
  const ir::Uses uses(graph);
  for (ir::Node& node : graph.nodes) {
    if (!is_fused(node, "Conv") || has_input(node, Conv::kGate)) continue;
    const auto pointwise = Conv::of(node);
    if (!pointwise.is_pointwise()) continue;
    const ir::ValueId map = node.inputs[0];
    const ir::Node* depthwise = fused_producer(graph, uses, map, "DepthwiseConv");
    if (depthwise == nullptr || depthwise->outputs.size() > 1 || uses.sole_reader(map) < 0) continue;
    if (has_weight_scale(*depthwise) || has_weight_scale(node)) continue;
    const std::string key = layer_key(graph, "DepthwisePointwise", *depthwise, depthwise->inputs[0], node.outputs[0]);
    if (!choices.fuses(node.name, key, is_worth_it(graph, *depthwise, node))) continue;
    auto attributes = depthwise->attributes;
    attributes["depthwise_activation"] = depthwise->get_string("activation", "none");
    attributes["activation"] = node.get_string("activation", "none");
    attributes["out_channels"] = pointwise.out_channels;
    std::vector<ir::ValueId> inputs = depthwise->inputs;
    inputs.insert(inputs.end(), {node.inputs[Conv::kWeights], node.inputs[Conv::kBias]});
    if (has_input(node, Conv::kResidual)) inputs.push_back(node.inputs[Conv::kResidual]);
    become_fused(node, "DepthwisePointwise", inputs, attributes);
  }
  graph.compact();
}

}  // namespace effdet::compiler
