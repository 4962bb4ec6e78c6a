// Builds the graph of other nodes that one node stands for.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "ops/spelled_out.h"

namespace effdet::ops {

using Attributes = std::map<std::string, ir::Attribute>;

/// Appends nodes to a graph of its own.
class Speller {
 public:
  Speller(const ir::Node& node, int64_t opset, std::span<const InputInfo> inputs);

  const ir::Node& node() const { return node_; }
  int64_t opset() const { return out_.graph.opset; }
  size_t input_count() const { return inputs_.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i].present; }
  const InputInfo& info(size_t i) const { return inputs_[i]; }
  InferContext context() const { return {node_, opset(), inputs_}; }
  ir::ValueId input(size_t i) const { return i < out_.operands.size() ? out_.operands[i] : ir::kNoValue; }

  /// The node's attributes but for those that only its own operator has.
  Attributes attributes(std::initializer_list<std::string_view> without = {}) const;

  ir::ValueId add(std::string op, std::vector<ir::ValueId> inputs, Attributes attributes = {});
  ir::ValueId constant(Tensor tensor) { return out_.graph.add_constant(new_name(), std::move(tensor)); }

  /// Ends the graph: these are the node's outputs, kNoValue for those that it does not make.
  SpelledOut finished(std::vector<ir::ValueId> outputs);

 private:
  std::string new_name() { return fmt::format("{}.{}", node_.name, out_.graph.value_count()); }
  ir::ValueId operand(size_t i);

  const ir::Node& node_;
  std::span<const InputInfo> inputs_;
  SpelledOut out_;
};

/// For the operators' rows: what the graph's outputs are, and what it computes.
std::vector<Inferred> infer_spelled_out(const InferContext& c);
void evaluate_spelled_out(const EvalContext& c);

}  // namespace effdet::ops
