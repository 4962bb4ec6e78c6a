// Counts constants' bytes against the limits on growth and on work.
#include "passes/budget.h"

#include <algorithm>
#include <variant>
#include <vector>

namespace effdet::passes {
namespace {

// Exporters turn, cut and scale each weight a few times, and compute a few megabytes of positions and anchors.
constexpr uint64_t kWorkBytes = uint64_t{512} << 20, kWorkShare = 8;

}  // namespace

uint64_t constant_bytes(const ir::Graph& graph) {
  std::vector<bool> counted(graph.value_count(), false);
  uint64_t bytes = 0;  // cannot wrap: the tensors are there
  const auto add = [&](ir::ValueId id) {
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr || counted[static_cast<size_t>(id)]) return;
    counted[static_cast<size_t>(id)] = true;
    bytes += constant->byte_size();
  };
  for (const ir::Node& node : graph.nodes) {
    std::ranges::for_each(node.inputs, add);
    for (const auto& [name, value] : node.attributes)
      if (const auto* tensor = std::get_if<Tensor>(&value)) bytes += tensor->byte_size();
  }
  std::ranges::for_each(graph.outputs, add);
  return bytes;
}

RewriteBudget::RewriteBudget(const ir::Graph& graph, uint64_t growth)
    : now_(constant_bytes(graph)), most_(now_ + growth), work_left_(kWorkBytes + kWorkShare * now_) {}

bool RewriteBudget::change(uint64_t added, uint64_t removed) {
  if (added > removed && (now_ > most_ || added - removed > most_ - now_)) return false;
  now_ = now_ + added - removed;
  return true;
}

bool RewriteBudget::work(uint64_t bytes) {
  if (bytes > work_left_) return false;
  work_left_ -= bytes;
  return true;
}

}  // namespace effdet::passes
