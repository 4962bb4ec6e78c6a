// Gives Resizes scales in place of sizes, where the sizes fix a batch that may change.
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// The scales that say the same as a Resize's sizes: 1 where the size is the input's own, known or not.
std::optional<Tensor> scales_of(const ir::Graph& graph, const ir::Node& resize, const ops::KnownValues& known) {
  const auto sizes = known.partial.find(resize.inputs[3]);
  const ir::ValueId x = resize.inputs[0];
  const auto& shape = graph.value(x).shape;
  if (sizes == known.partial.end() || !shape || static_cast<int64_t>(shape->size()) != sizes->second.numel())
    return std::nullopt;
  Tensor scales(DType::kF32, {static_cast<int64_t>(shape->size())});
  for (size_t axis = 0; axis < shape->size(); ++axis) {
    const int64_t from = (*shape)[axis], to = sizes->second.data<int64_t>()[axis];
    const bool same = to == (from < 0 ? ops::dim_symbol(x, static_cast<int64_t>(axis)) : from);
    // Only whole factors: others might round to another size.
    if (!same && (from < 1 || to < 1 || to % from != 0)) return std::nullopt;
    scales.mutable_data<float>()[axis] = same ? 1.0f : static_cast<float>(to / from);
  }
  return scales;
}

}  // namespace

bool sizes_to_scales(ir::Graph& graph) {
  ops::KnownValues known;
  ops::infer_shapes(graph, &known);
  UniqueNames names(graph);
  bool changed = false;
  for (ir::Node& node : graph.nodes) {
    if (!node.is("Resize") || node.inputs.size() < 4 || node.find("axes")) continue;
    if (node.get_string("keep_aspect_ratio_policy", "stretch") != "stretch") continue;  // one scale for all
    auto scales = scales_of(graph, node, known);
    if (!scales) continue;
    node.inputs.pop_back();
    node.inputs[2] = graph.add_constant(names.make(node.name + ".scales"), std::move(*scales));
    changed = true;
  }
  return changed;
}

}  // namespace effdet::passes
