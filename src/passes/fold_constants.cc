#include <algorithm>

#include "base/checked.h"
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

uint64_t byte_size(const ir::Value& value) { return *checked_numel(*value.shape) * dtype_size(value.dtype); }

/// Whether folding keeps the file about as small as it is; takes what it adds from the budget.
bool stays_small(const ir::Graph& graph, const ir::Node& node, const FoldLimits& limits, uint64_t& budget) {
  uint64_t before = 0, after = 0;
  for (ir::ValueId id : node.inputs)
    if (const Tensor* tensor = graph.constant(id)) before += tensor->byte_size();
  for (ir::ValueId id : node.outputs) after += byte_size(graph.value(id));
  const uint64_t growth = after > before ? after - before : 0;
  if (growth > std::min(budget, limits.node_bytes)) {
    if (limits.on_refusal) limits.on_refusal(node, growth);
    return false;
  }
  budget -= growth;
  return true;
}

/// Work that may be out of proportion to the sizes of inputs and outputs; no exporter leaves it on constants.
bool is_heavy(const ir::Node& node) {
  constexpr std::string_view kHeavy[] = {
      "Conv",   "ConvTranspose", "ConvInteger",   "QLinearConv", "DeformConv", "MatMul",
      "Gemm",   "MatMulInteger", "QLinearMatMul", "Einsum",      "MaxPool",    "AveragePool",
      "LpPool", "LRN",           "RNN",           "GRU",         "LSTM",       "DFT",
      "STFT",   "Det",           "Unique",        "RoiAlign",    "MaxRoiPool", "NonMaxSuppression"};
  return !node.domain.empty() || std::ranges::find(kHeavy, node.op) != std::end(kHeavy);
}

/// The inputs to run the node with; nothing where one is not known.
std::optional<std::vector<const Tensor*>> constant_inputs(const ir::Graph& graph, const ir::Node& node) {
  std::vector<const Tensor*> inputs;
  for (ir::ValueId id : node.inputs) {
    inputs.push_back(graph.constant(id));
    if (id != ir::kNoValue && inputs.back() == nullptr) return std::nullopt;
  }
  return inputs;
}

bool fold(ir::Graph& graph, const ir::Node& node, const ops::KnownValues& known, const FoldLimits& limits,
          uint64_t& budget) {
  if (const auto found = known.whole.find(node.outputs[0]); found != known.whole.end()) {
    graph.value(node.outputs[0]).constant = found->second;
    return true;
  }
  const auto inputs = constant_inputs(graph, node);
  if (!inputs || is_heavy(node) || !stays_small(graph, node, limits, budget)) return false;
  std::vector<Tensor> results = ops::evaluate_node(node, graph.opset, *inputs);
  for (size_t i = 0; i < results.size(); ++i) graph.value(node.outputs[i]).constant = std::move(results[i]);
  return true;
}

}  // namespace

bool fold_constants(ir::Graph& graph, const FoldLimits& limits) {
  std::vector<bool> is_output(graph.value_count(), false);
  for (ir::ValueId id : graph.outputs) is_output[static_cast<size_t>(id)] = true;
  ops::KnownValues known;
  ops::infer_shapes(graph, &known);
  uint64_t budget = limits.total_bytes;
  std::vector<ir::Node> kept;
  for (ir::Node& node : graph.nodes) {
    const bool foldable = std::ranges::all_of(node.outputs, [&](ir::ValueId id) {
      return id != ir::kNoValue && !is_output[static_cast<size_t>(id)] && is_static(graph.value(id).shape);
    });
    if (!foldable || !fold(graph, node, known, limits, budget)) kept.push_back(std::move(node));
  }
  const bool changed = kept.size() != graph.nodes.size();
  graph.nodes = std::move(kept);
  return changed;
}

}  // namespace effdet::passes
