// Lists steps with their kernels and costs, and sums up memory.
#include "runtime/inspect.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "ops/cost.h"
#include "ops/quantized_nodes.h"

namespace effdet::runtime {
namespace {

/// The type that a step multiplies in: that of its first input.
std::string product_type(const ir::Graph& graph, const ir::Node& node) {
  const bool has_input = !node.inputs.empty() && node.inputs[0] != ir::kNoValue;
  return std::string(dtype_name(graph.value(has_input ? node.inputs[0] : node.outputs.at(0)).dtype));
}

}  // namespace

std::vector<StepInfo> describe_steps(const Engine& engine) {
  std::vector<StepInfo> steps;
  const ir::Graph& graph = engine.program().graph;
  const int64_t micro_batches = engine.program().micro_batches;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    const kernels::Choice& choice = engine.choices()[i];
    const ops::Cost cost = ops::cost_of(graph, node);
    steps.push_back({node.name, node.op, std::string(choice.implementation), product_type(graph, node),
                     *graph.value(node.outputs[0]).shape, choice.refusals, cost.flops * micro_batches,
                     cost.bytes * micro_batches});
  }
  return steps;
}

std::string fallback_note(const Engine& engine) {
  std::map<std::string_view, size_t> counts;  // by operator
  size_t all = 0;
  for (size_t i = 0; i < engine.choices().size(); ++i) {
    if (!engine.choices()[i].implementation.ends_with(kernels::kOnHost)) continue;
    ++counts[engine.program().graph.nodes[i].op];
    ++all;
  }
  if (all == 0) return "";
  std::string operators;
  for (const auto& [name, count] : counts)
    operators += fmt::format("{}{}{}", operators.empty() ? "" : ", ", count > 1 ? fmt::format("{} ", count) : "", name);
  return fmt::format("the device {} has no kernel for {} of {} steps ({}): the processor runs them, on copies",
                     engine.program().target, all, engine.choices().size(), operators);
}

uint64_t arena_bytes(std::span<const std::shared_ptr<const Engine>> plans) {
  uint64_t most = 0;
  for (const auto& engine : plans) most = std::max(most, engine->program().arena_bytes);
  return most;
}

uint64_t weight_bytes(std::span<const std::shared_ptr<const Engine>> plans) {
  std::vector<artifact::Program> programs;
  for (const auto& engine : plans) programs.push_back(engine->program());
  return artifact::weight_bytes(programs);
}

Precision precision_of(const Engine& engine) {
  const ir::Graph& graph = engine.program().graph;
  const auto makes = [&](DType type, bool ours) {
    return std::ranges::any_of(graph.nodes, [&](const ir::Node& node) {
      // Others make what stands for nothing else: a Cast to uint8 say, or what a file has in float16.
      if (ours && node.domain != ir::kFusedDomain && !ops::reads_or_makes_codes(node)) return false;
      return std::ranges::any_of(node.outputs, [&](ir::ValueId id) { return graph.value(id).dtype == type; });
    });
  };
  if (makes(DType::kU8, true) || makes(DType::kI8, true)) return Precision::kInt8;
  if (makes(DType::kF16, true)) return Precision::kFloat16;
  return makes(DType::kBF16, false) ? Precision::kBfloat16 : Precision::kFloat32;
}

}  // namespace effdet::runtime
