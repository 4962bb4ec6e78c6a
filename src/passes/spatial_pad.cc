// Recognises Pads of height and width alone with a constant, and reads their amounts.
#include "passes/spatial_pad.h"

#include <algorithm>

#include "passes/rewrite.h"

namespace effdet::passes {

std::optional<SpatialPad> spatial_pad(const ir::Graph& graph, const ir::Node& pad) {
  if (!pad.is("Pad") || pad.get_string("mode", "constant") != "constant") return std::nullopt;
  SpatialPad result;
  std::optional<std::vector<int64_t>> all;
  if (graph.opset < 11) {
    all = pad.get_ints("pads", {});
    result.value = pad.get_float("value", 0);
  } else {
    if (pad.inputs.size() > 3 && pad.inputs[3] != ir::kNoValue) return std::nullopt;  // axes of its own choice
    all = int_constant(graph, pad.inputs.at(1));
    if (pad.inputs.size() > 2 && pad.inputs[2] != ir::kNoValue) {
      const auto value = scalar_constant(graph, pad.inputs[2]);
      if (!value) return std::nullopt;
      result.value = *value;
    }
  }
  if (!all || all->size() < 6 || std::ranges::any_of(*all, [](int64_t n) { return n < 0; })) return std::nullopt;
  const size_t rank = all->size() / 2;
  for (size_t i = 0; i < 2 * rank; ++i) {
    const bool spatial = i % rank >= 2;
    if (spatial) result.pads.push_back((*all)[i]);
    if (!spatial && (*all)[i] != 0) return std::nullopt;
  }
  return result;
}

}  // namespace effdet::passes
