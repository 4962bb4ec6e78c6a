// BatchNormalization that no convolution took becomes Mul and Add.
#include <algorithm>

#include "compiler/passes.h"
#include "passes/conv_affine.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

/// One value a channel, for maps of so many dimensions.
ir::ValueId add_channels(ir::Graph& graph, const std::string& name, const std::vector<double>& values, size_t rank) {
  Shape shape(rank - 1, 1);
  shape[0] = static_cast<int64_t>(values.size());
  Tensor tensor(DType::kF32, shape);
  std::ranges::transform(values, tensor.mutable_data<float>().begin(), [](double x) { return static_cast<float>(x); });
  return graph.add_constant(name, tensor);
}

/// Nothing where the node is no normalization, or one whose parameters are not constant.
std::optional<passes::ChannelAffine> affine_of(const ir::Graph& graph, const ir::Node& node) {
  if (!node.is("BatchNormalization") || node.get_int("training_mode", 0) != 0 || node.outputs.size() != 1)
    return std::nullopt;
  const ir::Value& x = graph.value(node.inputs[0]);
  if (x.dtype != DType::kF32 || !passes::is_static(x.shape) || x.shape->size() < 2) return std::nullopt;
  return passes::batch_norm_affine(graph, node, (*x.shape)[1]);
}

}  // namespace

void split_batch_norms(ir::Graph& graph) {
  std::vector<ir::Node> nodes;
  for (ir::Node& node : graph.nodes) {
    const auto affine = affine_of(graph, node);
    if (!affine) {
      nodes.push_back(std::move(node));
      continue;
    }
    const Shape shape = *graph.value(node.inputs[0]).shape;
    const ir::ValueId scale = add_channels(graph, node.name + "_scale", affine->scale, shape.size());
    const ir::ValueId shift = add_channels(graph, node.name + "_shift", affine->shift, shape.size());
    const ir::ValueId scaled = graph.add_value({node.name + "_scaled", DType::kF32, shape, {}});
    nodes.push_back({"Mul", "", node.name + "_scaled", {node.inputs[0], scale}, {scaled}, {}});
    nodes.push_back({"Add", "", node.name, {scaled, shift}, node.outputs, {}});
  }
  graph.nodes = std::move(nodes);
  graph.compact();
}

}  // namespace effdet::compiler
