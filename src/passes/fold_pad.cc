// Folds a Pad into the padding of the convolution or pool after it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "passes/passes.h"
#include "passes/rewrite.h"
#include "passes/spatial_pad.h"

namespace effdet::passes {
namespace {

bool never_negative(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId id) {
  if (uses.producer(id) < 0) return false;
  const ir::Node& node = graph.nodes[static_cast<size_t>(uses.producer(id))];
  return node.is("Relu") || node.is("Sigmoid") || node.is("HardSigmoid");
}

/// Whether each window of a pool would still see at least one real element.
bool windows_reach(const ir::Node& pool, const std::vector<int64_t>& pads) {
  const auto kernel = pool.get_ints("kernel_shape", {});
  if (kernel.size() * 2 != pads.size()) return false;
  for (size_t i = 0; i < pads.size(); ++i)
    if (pads[i] >= kernel[i % kernel.size()]) return false;
  return pool.get_int("ceil_mode", 0) == 0;
}

bool absorbs(const ir::Graph& graph, const ir::Uses& uses, const ir::Node& reader, ir::ValueId source, double value,
             const std::vector<int64_t>& pads) {
  const std::string auto_pad = reader.get_string("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "VALID") return false;
  if (reader.is("Conv")) return value == 0;
  if (!reader.is("MaxPool") || !windows_reach(reader, pads)) return false;
  const auto own = reader.get_ints("pads", {});
  const bool unpadded = std::ranges::all_of(own, [](int64_t n) { return n == 0; });
  return value == -std::numeric_limits<double>::infinity() ||
         (value == 0 && unpadded && never_negative(graph, uses, source));
}

bool fold(ir::Graph& graph, const ir::Uses& uses, ir::Node& reader) {
  if ((!reader.is("Conv") && !reader.is("MaxPool")) || uses.producer(reader.inputs[0]) < 0) return false;
  const ir::Node& pad = graph.nodes[static_cast<size_t>(uses.producer(reader.inputs[0]))];
  const auto spatial = spatial_pad(graph, pad);
  if (!spatial || uses.is_output(reader.inputs[0])) return false;
  std::vector<int64_t> pads = spatial->pads;
  const bool explicit_pads = reader.get_string("auto_pad", "NOTSET") == "NOTSET";
  const auto own = explicit_pads ? reader.get_ints("pads", std::vector<int64_t>(pads.size(), 0))
                                 : std::vector<int64_t>(pads.size(), 0);
  if (own.size() != pads.size()) return false;
  for (size_t i = 0; i < pads.size(); ++i) pads[i] += own[i];
  if (!absorbs(graph, uses, reader, pad.inputs[0], spatial->value, pads)) return false;
  reader.attributes.erase("auto_pad");
  reader.attributes["pads"] = pads;
  reader.inputs[0] = pad.inputs[0];
  return true;
}

}  // namespace

bool fold_pad(ir::Graph& graph) {
  const ir::Uses uses(graph);
  bool changed = false;
  for (ir::Node& node : graph.nodes) changed = fold(graph, uses, node) || changed;
  return changed;
}

}  // namespace effdet::passes
