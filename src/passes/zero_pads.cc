// Finds Pads by -infinity and gives them the constant 0.
#include "passes/zero_pads.h"

#include <cmath>

namespace effdet::passes {
namespace {

bool is_minus_infinity(const Tensor* tensor) {
  return tensor != nullptr && tensor->dtype() == DType::kF32 && tensor->numel() == 1 &&
         tensor->data<float>()[0] == -INFINITY;
}

/// Before opset 11 the constant is an attribute.
bool pads_with_minus_infinity(const ir::Graph& graph, const ir::Node& node) {
  if (!node.is("Pad")) return false;
  if (graph.opset < 11) return node.get_float("value", 0) == -INFINITY;
  return node.inputs.size() > 2 && is_minus_infinity(graph.constant(node.inputs[2]));
}

}  // namespace

int zero_minus_infinity_pads(ir::Graph& graph) {
  int count = 0;
  ir::ValueId zero = ir::kNoValue;
  for (ir::Node& node : graph.nodes) {
    if (!pads_with_minus_infinity(graph, node)) continue;
    ++count;
    if (graph.opset < 11) {
      node.attributes["value"] = 0.0f;
      continue;
    }
    // A constant of its own: others may read the one that says -inf.
    if (zero == ir::kNoValue) zero = graph.add_constant("pad_value_zero", Tensor::scalar(0.0f));
    node.inputs[2] = zero;
  }
  if (count > 0) graph.compact();
  return count;
}

}  // namespace effdet::passes
