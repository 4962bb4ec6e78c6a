// ConvTranspose with constant weights becomes ai.effdet::ConvTranspose.
#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/conv_transpose.h"

namespace effdet::compiler {
namespace {

using Ints = std::vector<int64_t>;

/// Window, begins of the pads and size; nothing where there is no fused operator for it: dilated, gaps between the
/// windows, or beyond the limits.
std::optional<std::map<std::string, ir::Attribute>> attributes_of(const ir::Graph& graph, const ir::Node& node,
                                                                  const Tensor& weights) {
  const auto [window, size] = ops::transposed_window(node, *graph.value(node.inputs[0]).shape, weights.shape());
  if (window.dilation != Ints{1, 1}) return std::nullopt;
  for (size_t axis = 0; axis < 2; ++axis)
    if (window.kernel[axis] < window.stride[axis] || window.kernel[axis] > ops::kMaxWindow ||
        window.pad_begin[axis] < 0 || window.pad_begin[axis] >= window.kernel[axis] || size[axis] < 1)
      return std::nullopt;
  if (weights.dim(0) * weights.dim(2) * weights.dim(3) > ops::kMaxExtent || weights.dim(1) > ops::kMaxOutChannels)
    return std::nullopt;
  return std::map<std::string, ir::Attribute>{{"kernel_shape", window.kernel},
                                              {"strides", window.stride},
                                              {"pads", Ints{window.pad_begin[0], window.pad_begin[1], 0, 0}},
                                              {"size", size}};
}

}  // namespace

void fuse_conv_transpose(ir::Graph& graph) {
  for (ir::Node& node : graph.nodes) {
    if (!node.is("ConvTranspose") || node.get_int("group", 1) != 1) continue;
    if (!is_static_map(graph.value(node.inputs[0])) || !is_static_map(graph.value(node.outputs[0]))) continue;
    const Tensor* weights = graph.constant(node.inputs[1]);
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
    if (weights == nullptr || (has_bias && graph.constant(node.inputs[2]) == nullptr)) continue;
    const auto attributes = attributes_of(graph, node, *weights);
    if (!attributes) continue;
    const ir::ValueId bias = has_bias
                                 ? node.inputs[2]
                                 : graph.add_constant(node.name + "_zero_bias", Tensor(DType::kF32, {weights->dim(1)}));
    become_fused(node, "ConvTranspose", {node.inputs[0], node.inputs[1], bias}, *attributes);
  }
}

}  // namespace effdet::compiler
