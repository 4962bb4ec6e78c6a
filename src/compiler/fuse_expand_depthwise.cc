// A 1x1 Conv and the DepthwiseConv after it become ai.effdet::ExpandDepthwise.
#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

// Fusion pays where the expanded map would go through memory, and does not where the input has so many channels that
// reading it again for every group of expanded ones costs more than that.
constexpr int64_t kLeastExpandedBytes = 1 << 20, kMostChannels = 160;

bool is_worth_it(const ir::Value& input, const ir::Value& expanded) {
  const Shape &in = *input.shape, &out = *expanded.shape;
  return in[1] <= kMostChannels && out[1] >= 2 * in[1] && out[1] * out[2] * out[3] * 4 >= kLeastExpandedBytes;
}

}  // namespace

void fuse_expand_depthwise(ir::Graph& graph, const LayerChoices& choices) {
  const ir::Uses uses(graph);
  for (ir::Node& node : graph.nodes) {
    if (!is_fused(node, "DepthwiseConv")) continue;
    const ir::ValueId map = node.inputs[0];
    const ir::Node* expand = fused_producer(graph, uses, map, "Conv");
    if (expand == nullptr || uses.sole_reader(map) < 0 || !is_plain_pointwise(*expand)) continue;
    if (has_steps(*expand) || has_steps(node) || has_weight_scale(*expand) || has_weight_scale(node)) continue;
    const std::string key = layer_key(graph, "ExpandDepthwise", node, expand->inputs[0], node.outputs[0]);
    if (!choices.fuses(node.name, key, is_worth_it(graph.value(expand->inputs[0]), graph.value(map)))) continue;
    auto attributes = node.attributes;
    attributes["out_channels"] = ops::ConvAttributes::of(*expand).out_channels;
    attributes["expand_activation"] = expand->get_string("activation", "none");
    become_fused(node, "ExpandDepthwise",
                 {expand->inputs[0], expand->inputs[1], expand->inputs[2], node.inputs[1], node.inputs[2]}, attributes);
  }
  graph.compact();
}

}  // namespace effdet::compiler
