// Small questions about quantized values that passes ask.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"
#include "ops/fused/requantize.h"

namespace effdet::compiler {

/// Constant weights of int8 by their scales: what a DequantizeLinear makes of them.
struct QuantizedWeights {
  ir::ValueId codes;          ///< int8 [o, ...]
  std::vector<float> scales;  ///< of the output channels [o]
};
/// Nothing where the value is no such product, or has a zero point.
std::optional<QuantizedWeights> quantized_weights(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId id);

/// The value that was rounded to codes and back to make this one, or the value itself.
ir::ValueId before_rounding(ir::Graph& graph, const ir::Uses& uses, ir::ValueId id);

/// Whether a node only moves, repeats or compares values, so that it makes of codes what it makes of their numbers.
bool moves_codes(const ir::Node& node);
/// The inputs of such a node that it moves: the first, or all of a Concat.
size_t moved_inputs(const ir::Node& node);

}  // namespace effdet::compiler
