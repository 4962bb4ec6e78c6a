// Folds Mul, Add, Sub and Div by a constant per channel into the convolution before them.
#include <algorithm>

#include "passes/conv_affine.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// A constant that broadcasts per channel over [N, channels, spatial...] and does not enlarge it, as one value a
/// channel.
std::optional<std::vector<double>> per_channel(const Tensor* tensor, int64_t channels, size_t rank) {
  if (tensor == nullptr || tensor->dtype() != DType::kF32 || tensor->rank() > rank) return std::nullopt;
  const size_t skip = rank - tensor->rank();  // dimensions that broadcasting puts in front
  for (size_t i = 0; i < tensor->rank(); ++i)
    if (tensor->dim(i) != 1 && (i + skip != 1 || tensor->dim(i) != channels)) return std::nullopt;
  const auto data = tensor->data<float>();
  std::vector<double> values(data.begin(), data.end());
  values.resize(static_cast<size_t>(channels), values.empty() ? 0 : values[0]);
  return values;
}

/// The node as a scale and a shift of its variable input; constant - x and constant / x are something else.
std::optional<ChannelAffine> affine_of(const ir::Node& node, std::vector<double> values, bool constant_first) {
  const std::vector<double> ones(values.size(), 1), zeros(values.size(), 0);
  if (node.is("Mul")) return ChannelAffine{values, zeros};
  if (node.is("Add")) return ChannelAffine{ones, values};
  if (constant_first) return std::nullopt;
  if (node.is("Sub")) {
    for (double& value : values) value = -value;
    return ChannelAffine{ones, values};
  }
  if (!node.is("Div") || std::ranges::find(values, 0.0) != values.end()) return std::nullopt;
  for (double& value : values) value = 1 / value;
  return ChannelAffine{values, zeros};
}

bool fold(const ir::Graph& graph, AffineFolder& folder, const ir::Node& node) {
  if (!node.domain.empty() || node.inputs.size() != 2) return false;
  for (size_t side = 0; side < 2; ++side) {
    const auto convs = folder.sole_convs(node.inputs[side]);
    const Tensor* constant = graph.constant(node.inputs[1 - side]);
    if (!convs || constant == nullptr) continue;
    const auto values = per_channel(constant, convs->channels, convs->rank);
    const auto affine = values ? affine_of(node, *values, side == 1) : std::nullopt;
    if (!affine) continue;
    return folder.fold(*convs, *affine, node.outputs[0]);
  }
  return false;
}

}  // namespace

bool fold_affine(ir::Graph& graph, RewriteBudget& budget) {
  AffineFolder folder(graph, budget);
  std::vector<bool> drop(graph.nodes.size(), false);
  for (size_t n = 0; n < graph.nodes.size(); ++n) drop[n] = fold(graph, folder, graph.nodes[n]);
  return erase_nodes(graph, drop);
}

}  // namespace effdet::passes
