#include <cmath>

#include "passes/conv_affine.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// The normalization's parameters, or nothing where they are not constant.
std::optional<ChannelAffine> affine_of(const ir::Graph& graph, const ir::Node& norm, int64_t channels) {
  const Tensor* parameters[4];  // gamma, beta, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = graph.constant(norm.inputs[i + 1]);
    if (parameters[i] == nullptr || parameters[i]->dtype() != DType::kF32 || parameters[i]->numel() != channels)
      return std::nullopt;
  }
  const double epsilon = norm.get_float("epsilon", 1e-5f);
  ChannelAffine affine;
  for (size_t k = 0; k < static_cast<size_t>(channels); ++k) {
    const auto at = [&](size_t i) { return static_cast<double>(parameters[i]->data<float>()[k]); };
    affine.scale.push_back(at(0) / std::sqrt(at(3) + epsilon));
    affine.shift.push_back(at(1) - at(2) * affine.scale.back());
  }
  return affine;
}

}  // namespace

bool fold_batch_norm(ir::Graph& graph, RewriteBudget& budget) {
  AffineFolder folder(graph, budget);
  std::vector<bool> drop(graph.nodes.size(), false);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& norm = graph.nodes[n];
    // In training mode the statistics are the input's own.
    if (!norm.is("BatchNormalization") || norm.get_int("training_mode", 0) != 0) continue;
    const auto convs = folder.sole_convs(norm.inputs[0]);
    const auto affine = convs ? affine_of(graph, norm, convs->channels) : std::nullopt;
    if (!affine) continue;
    drop[n] = folder.fold(*convs, *affine, norm.outputs[0]);
  }
  return erase_nodes(graph, drop);
}

}  // namespace effdet::passes
