// ONNX's elementwise operators as steps of programs (ops/elementwise_program.h).
#pragma once

#include "ir/graph.h"
#include "ops/elementwise_program.h"

namespace effdet::compiler {

/// What a node computes of its inputs.
struct NodeSteps {
  std::vector<ir::ValueId> inputs;  ///< those that are no numbers
  ops::ElementwiseProgram program;  ///< of them
};

/// Nothing for a node that is not elementwise, whose shapes are not known, or that works on other types than float32.
/// Float constants of one value become numbers.
std::optional<NodeSteps> elementwise_steps(const ir::Graph& graph, const ir::Node& node);

}  // namespace effdet::compiler
