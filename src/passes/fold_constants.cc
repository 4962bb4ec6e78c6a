// Computes nodes with constant inputs, within limits, and frees constants after their last reader.
#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"
#include "ops/cost.h"
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// What a kernel may take beside its outputs: some compute in wider types.
constexpr uint64_t kScratchBytes = uint64_t{32} << 20;

uint64_t byte_size(const ir::Value& value) { return *checked_numel(*value.shape) * dtype_size(value.dtype); }

/// Folds the nodes of a graph in order, and lets constants go with their last reader.
class Folder {
 public:
  Folder(ir::Graph& graph, const SimplifyOptions& options, RewriteBudget& budget)
      : graph_(graph),
        options_(options),
        budget_(budget),
        reads_left_(graph.value_count(), 0),
        is_output_(graph.value_count(), false) {
    for (ir::ValueId id : graph.outputs) is_output_[static_cast<size_t>(id)] = true;
    for (const ir::Node& node : graph.nodes)
      for (ir::ValueId id : node.inputs)
        if (id != ir::kNoValue) ++reads_left_[static_cast<size_t>(id)];
    ops::infer_shapes(graph, &known_);
  }

  /// Whether the node's outputs are constants now, so that it may go.
  bool fold(const ir::Node& node) {
    if (!is_foldable(node)) return false;
    const auto found = known_.whole.find(node.outputs[0]);
    const bool is_known = found != known_.whole.end();
    const auto inputs = is_known ? std::nullopt : constant_inputs(node);
    if (!is_known && (!inputs || ops::is_heavy(node))) return false;
    const uint64_t added = bytes_made(node), removed = bytes_let_go(node);
    const uint64_t growth = added > removed ? added - removed : 0;
    if ((!is_known && growth > options_.largest_growth) || !budget_.change(added, removed)) {
      if (options_.on_growth) options_.on_growth(node.name, growth);
      return false;
    }
    if (is_known) {
      graph_.value(node.outputs[0]).constant = found->second;
    } else if (!evaluate(node, *inputs, added)) {
      budget_.change(removed, added);
      return false;
    }
    let_inputs_go(node);
    return true;
  }

 private:
  bool is_foldable(const ir::Node& node) const {
    if (node.is("DequantizeLinear")) return false;
    return !node.opaque && std::ranges::all_of(node.outputs, [&](ir::ValueId id) {
      return id != ir::kNoValue && !is_output_[static_cast<size_t>(id)] && is_static(graph_.value(id).shape) &&
             graph_.value(id).dtype != DType::kUnknown;
    });
  }

  /// The inputs to run the node with; nothing where one is not known.
  std::optional<std::vector<const Tensor*>> constant_inputs(const ir::Node& node) const {
    std::vector<const Tensor*> inputs;
    for (ir::ValueId id : node.inputs) {
      inputs.push_back(graph_.constant(id));
      if (id != ir::kNoValue && inputs.back() == nullptr) return std::nullopt;
    }
    return inputs;
  }

  uint64_t bytes_made(const ir::Node& node) const {
    uint64_t bytes = 0;
    for (ir::ValueId id : node.outputs) bytes += byte_size(graph_.value(id));
    return bytes;
  }

  /// Bytes of the constants that nobody else reads any more, and of tensors among the attributes.
  uint64_t bytes_let_go(const ir::Node& node) const {
    uint64_t bytes = 0;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ir::ValueId id = node.inputs[i];
      const Tensor* tensor = graph_.constant(id);
      const auto before = node.inputs.begin() + static_cast<std::ptrdiff_t>(i);
      if (tensor == nullptr || std::find(node.inputs.begin(), before, id) != before) continue;
      if (!is_output_[static_cast<size_t>(id)] &&
          reads_left_[static_cast<size_t>(id)] == std::ranges::count(node.inputs, id))
        bytes += tensor->byte_size();
    }
    for (const auto& [name, value] : node.attributes)
      if (const auto* tensor = std::get_if<Tensor>(&value)) bytes += tensor->byte_size();
    return bytes;
  }

  /// Whether the node's outputs, so many bytes, could be computed within limits.
  bool evaluate(const ir::Node& node, const std::vector<const Tensor*>& inputs, uint64_t bytes) {
    uint64_t work = bytes;
    for (const Tensor* tensor : inputs) work += tensor == nullptr ? 0 : tensor->byte_size();
    if (!budget_.work(work)) return false;
    const MemoryBudget memory(bytes + kScratchBytes);
    try {
      std::vector<Tensor> results = ops::evaluate_node(node, graph_.opset, inputs);
      for (size_t i = 0; i < results.size(); ++i) graph_.value(node.outputs[i]).constant = std::move(results[i]);
      return true;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kOutOfMemory || error.code() == ErrorCode::kUnsupported) return false;
      throw;
    }
  }

  void let_inputs_go(const ir::Node& node) {
    for (ir::ValueId id : node.inputs)
      if (id != ir::kNoValue && --reads_left_[static_cast<size_t>(id)] == 0 && !is_output_[static_cast<size_t>(id)])
        graph_.value(id).constant.reset();
  }

  ir::Graph& graph_;
  const SimplifyOptions& options_;
  RewriteBudget& budget_;
  ops::KnownValues known_;
  std::vector<int> reads_left_;
  std::vector<bool> is_output_;
};

}  // namespace

bool fold_constants(ir::Graph& graph, const SimplifyOptions& options, RewriteBudget& budget) {
  Folder folder(graph, options, budget);
  std::vector<bool> drop(graph.nodes.size(), false);
  for (size_t n = 0; n < graph.nodes.size(); ++n) drop[n] = folder.fold(graph.nodes[n]);
  return erase_nodes(graph, drop);
}

}  // namespace effdet::passes
