// Unique names, constants read as numbers, and removal of nodes with their readers redirected.
#include "passes/rewrite.h"

#include <algorithm>

#include "base/checked.h"

namespace effdet::passes {

std::string unique_name(const ir::Graph& graph, const std::string& base) {
  std::string name = base;
  for (int i = 1; graph.is_taken(name); ++i) name = base + "_" + std::to_string(i);
  return name;
}

std::string UniqueNames::make(const std::string& base) {
  if (next_.empty()) {
    for (size_t i = 0; i < graph_.value_count(); ++i) next_.emplace(graph_.value(static_cast<ir::ValueId>(i)).name, 1);
    for (const std::string& name : graph_.inner_names) next_.emplace(name, 1);
  }
  const auto [taken, is_new] = next_.try_emplace(base, 1);
  if (is_new) return base;
  std::string name;
  int number = taken->second;
  do name = base + "_" + std::to_string(number++);
  while (next_.contains(name));
  taken->second = number;
  next_.emplace(name, 1);
  return name;
}

std::optional<double> scalar_constant(const ir::Graph& graph, ir::ValueId id) {
  const Tensor* tensor = graph.constant(id);
  if (tensor == nullptr || tensor->numel() != 1) return std::nullopt;
  if (tensor->dtype() == DType::kF32) return tensor->data<float>()[0];
  if (tensor->dtype() == DType::kF64) return tensor->data<double>()[0];
  return std::nullopt;
}

std::optional<std::vector<int64_t>> int_constant(const ir::Graph& graph, ir::ValueId id) {
  const Tensor* tensor = graph.constant(id);
  if (tensor == nullptr || (tensor->dtype() != DType::kI64 && tensor->dtype() != DType::kI32)) return std::nullopt;
  const Tensor wide = tensor->to(DType::kI64);
  const auto data = wide.data<int64_t>();
  return std::vector<int64_t>(data.begin(), data.end());
}

bool is_static(const std::optional<Shape>& shape) { return shape && checked_numel(*shape).has_value(); }

ir::ValueId Replacements::resolve(ir::ValueId id) const {
  while (id != ir::kNoValue && static_cast<size_t>(id) < target_.size() &&
         target_[static_cast<size_t>(id)] != ir::kNoValue)
    id = target_[static_cast<size_t>(id)];
  return id;
}

void Replacements::apply(ir::Graph& graph) const {
  for (ir::Node& node : graph.nodes)
    for (ir::ValueId& id : node.inputs) id = resolve(id);
  for (ir::ValueId& id : graph.outputs) id = resolve(id);
}

bool erase_nodes(ir::Graph& graph, const std::vector<bool>& drop) {
  std::vector<ir::Node> kept;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (!drop[n]) kept.push_back(std::move(graph.nodes[n]));
  const bool changed = kept.size() != graph.nodes.size();
  graph.nodes = std::move(kept);
  return changed;
}

}  // namespace effdet::passes
