// Nodes that read and make quantized tensors, as nodes on floats between DequantizeLinear and QuantizeLinear.
#pragma once

#include "ops/op.h"

namespace effdet::ops {

/// Domain of ONNX Runtime's own operators.
inline constexpr std::string_view kContribDomain = "com.microsoft";

/// What a node computes, as a graph of other nodes with one output.
struct SpelledOut {
  ir::Graph graph;
  std::vector<ir::ValueId> operands;  ///< in the graph, for each of the node's inputs; kNoValue: absent
};

/// Whether spelled_out() knows the node's operator: QLinearConv, QLinearMatMul, and com.microsoft's QLinearAdd,
/// QGemm...
bool is_quantized_node(const ir::Node& node);

/// Whether a node is one of those that only quantized models have: these, and ONNX's on quantized tensors.
bool reads_or_makes_codes(const ir::Node& node);

/// Fails unless every scale in input i, where these are known, is positive and finite: division and rounding by it mean
/// something.
void require_scales(const InferContext& c, size_t i);

/// The node with DequantizeLinear for what it reads, the operator on floats, and QuantizeLinear. This is what it means:
/// inference and the reference kernel go by it. Constants among the inputs are constants of that graph. Precondition:
/// is_quantized_node(), and a number of inputs that the operator has. Throws Error that names the node.
SpelledOut spelled_out(const ir::Node& node, int64_t opset, std::span<const InputInfo> inputs);

}  // namespace effdet::ops
