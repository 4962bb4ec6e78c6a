// What quantized weights and maps look like in a graph.
#include "compiler/quantization.h"

#include <algorithm>

#include "compiler/match.h"
#include "ops/fused/quantization.h"
#include "ops/op.h"
#include "passes/passes.h"

namespace effdet::compiler {
namespace {

bool has_only_zeros(const Tensor& tensor) {
  return std::ranges::all_of(tensor.bytes(), [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

std::optional<QuantizedWeights> quantized_weights(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId id) {
  const ir::Node* node = producer_of(graph, uses, id);
  if (node == nullptr || !node->is("DequantizeLinear")) return std::nullopt;
  const auto is_constant = [&](ir::ValueId input) { return graph.constant(input) != nullptr; };
  if (!std::ranges::all_of(node->inputs, is_constant)) return std::nullopt;
  const Tensor &codes = *graph.constant(node->inputs[0]), &scales = *graph.constant(node->inputs[1]);
  if (codes.dtype() != DType::kI8 || scales.dtype() != DType::kF32 || codes.rank() == 0 || scales.rank() > 1)
    return std::nullopt;
  if (node->inputs.size() > 2 && !has_only_zeros(*graph.constant(node->inputs[2]))) return std::nullopt;
  const auto values = scales.data<float>();
  if (!std::ranges::all_of(values, ops::is_scale)) return std::nullopt;
  const auto channels = static_cast<size_t>(codes.dim(0));
  if (values.size() == 1) return QuantizedWeights{node->inputs[0], std::vector<float>(channels, values[0])};
  const auto axis = place_of_axis(node->get_int("axis", 1), codes.rank());
  if (values.size() != channels || axis != 0u || node->get_int("block_size", 0) != 0) return std::nullopt;
  return QuantizedWeights{node->inputs[0], {values.begin(), values.end()}};
}

ir::ValueId before_rounding(ir::Graph& graph, const ir::Uses& uses, ir::ValueId id) {
  const ir::Node* dequantize = fused_producer(graph, uses, id, "Dequantize");
  const ir::Node* quantize =
      dequantize == nullptr ? nullptr : fused_producer(graph, uses, dequantize->inputs[0], "Quantize");
  return quantize == nullptr ? id : quantize->inputs[0];
}

bool moves_codes(const ir::Node& node) {
  return is_fused(node, "MaxPool") || node.is("Concat") || passes::moves_first_input(node);
}

size_t moved_inputs(const ir::Node& node) { return node.is("Concat") ? node.inputs.size() : 1; }

}  // namespace effdet::compiler
