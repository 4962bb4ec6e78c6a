// Elementwise operators between a Dequantize and a Quantize become ai.effdet::Table: whatever they compute, there are
// 256 numbers that they compute it of.
#include <map>
#include <set>

#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/op.h"

namespace effdet::compiler {
namespace {

constexpr int64_t kCodes = 256;
/// More are not made one table: a file could ask for a long chain again at each of its nodes.
constexpr size_t kMostNodes = 64;

class TableMaker {
 public:
  explicit TableMaker(ir::Graph& graph) : graph_(graph), uses_(graph) {}

  void run() {
    for (ir::Node& node : graph_.nodes) {
      const ir::ValueId root = root_of(node);
      if (root == ir::kNoValue) continue;
      roots_[node.outputs[0]] = root;
      if (!is_fused(node, "Quantize") || root == node.outputs[0]) continue;
      if (const auto table = table_of(root, node)) {
        const ir::ValueId id = graph_.add_constant(node.name + "_table", *table);
        become_fused(node, "Table", {root, id}, {});
      }
    }
    graph_.compact();
  }

 private:
  /// The codes of which alone, each by itself, a node computes what it makes; codes are their own root.
  ir::ValueId root_of(const ir::Node& node) const {
    if (node.outputs.size() != 1 || node.opaque) return ir::kNoValue;
    if (is_fused(node, "Dequantize")) return found_or(node.inputs[0], node.inputs[0]);
    if (is_fused(node, "Quantize")) return found_or(node.inputs[0], node.outputs[0]);
    const bool is_activation = is_fused(node, "Activation");
    if (!is_activation && ops::card_of(node).batch != ops::Batch::kByElement) return ir::kNoValue;
    if (graph_.value(node.outputs[0]).dtype != DType::kF32) return ir::kNoValue;
    ir::ValueId root = ir::kNoValue;
    for (const ir::ValueId id : node.inputs) {
      if (id == ir::kNoValue) continue;
      if (const Tensor* constant = graph_.constant(id)) {
        if (constant->numel() != 1 || constant->rank() > 4) return ir::kNoValue;
        continue;
      }
      const ir::ValueId other = found_or(id, ir::kNoValue);
      if (other == ir::kNoValue || (root != ir::kNoValue && root != other)) return ir::kNoValue;
      if (graph_.value(id).shape != graph_.value(node.outputs[0]).shape) return ir::kNoValue;
      root = other;
    }
    return root;
  }

  ir::ValueId found_or(ir::ValueId id, ir::ValueId otherwise) const {
    const auto found = roots_.find(id);
    return found == roots_.end() ? otherwise : found->second;
  }

  /// The nodes that make a value of its root, the first one first; not all of them where there are too many.
  void collect(ir::ValueId id, ir::ValueId root, std::set<int>& nodes) const {
    std::vector<ir::ValueId> open{id};
    while (!open.empty() && nodes.size() <= kMostNodes) {
      const int producer = uses_.producer(open.back());
      const bool ends = open.back() == root || producer < 0;
      open.pop_back();
      if (ends || !nodes.insert(producer).second) continue;
      for (const ir::ValueId input : graph_.nodes[static_cast<size_t>(producer)].inputs)
        if (input != ir::kNoValue && graph_.constant(input) == nullptr) open.push_back(input);
    }
  }

  /// What the nodes from the root to a Quantize make of each code; nothing where there are too many of them.
  std::optional<Tensor> table_of(ir::ValueId root, const ir::Node& last) const {
    std::set<int> nodes;
    collect(last.inputs[0], root, nodes);
    if (nodes.size() > kMostNodes) return std::nullopt;
    std::map<ir::ValueId, Tensor> values;
    Tensor codes(DType::kU8, {1, 1, 1, kCodes});
    for (size_t i = 0; i < kCodes; ++i) codes.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(i);
    values.emplace(root, codes);
    const auto run = [&](const ir::Node& node) {
      std::vector<const Tensor*> inputs;
      for (const ir::ValueId id : node.inputs) {
        const auto found = values.find(id);
        inputs.push_back(found != values.end() ? &found->second : id == ir::kNoValue ? nullptr : graph_.constant(id));
      }
      values.emplace(node.outputs[0], ops::evaluate_node(node, graph_.opset, inputs).at(0));
    };
    for (const int index : nodes) run(graph_.nodes[static_cast<size_t>(index)]);  // in topological order
    run(last);
    return values.at(last.outputs[0]).reshaped({kCodes});
  }

  ir::Graph& graph_;
  const ir::Uses uses_;
  std::map<ir::ValueId, ir::ValueId> roots_;
};

}  // namespace

void fuse_tables(ir::Graph& graph) { TableMaker(graph).run(); }

}  // namespace effdet::compiler
