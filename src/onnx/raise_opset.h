// Writing a graph's nodes as a later version of ONNX's operator set has them.
#pragma once

#include <cstdint>

#include "effdet/onnx_options.h"
#include "ir/graph.h"

namespace effdet::onnx {

/// Rewrites each node of ONNX's own domain whose form changed up to that version: attributes become inputs (axes of
/// reductions, sizes of Split), defaults that changed are spelled out. The graph computes the same, bit for bit; names
/// of values stay. Throws Error(kUsage) for a version below kLowestOpset, above kHighestOpset or below the graph's, and
/// Error(kUnsupported), which names the node, for an operator that cannot be rewritten.
void raise_opset(ir::Graph& graph, int64_t opset);

}  // namespace effdet::onnx
