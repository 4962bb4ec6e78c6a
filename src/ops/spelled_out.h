// Nodes that stand for several others, and the graphs that they stand for.
#pragma once

#include "ops/op.h"

namespace effdet::ops {

/// What a node computes, as a graph of other nodes. Its outputs are those that the node makes, in their order.
struct SpelledOut {
  ir::Graph graph;
  std::vector<ir::ValueId> operands;  ///< in the graph, for each of the node's inputs; kNoValue: absent
};

/// Whether spelled_out() knows the node's operator: Attention, QLinearConv, com.microsoft's QLinearAdd...
bool stands_for_others(const ir::Node& node);

/// The graph that a node stands for; nothing where that depends on sizes that are not known yet. This is what the node
/// means: the reference kernel goes by it. Constants among the inputs are constants of that graph. Precondition:
/// stands_for_others(), and a number of inputs that the operator has. Throws Error that names the node.
std::optional<SpelledOut> spelled_out(const ir::Node& node, int64_t opset, std::span<const InputInfo> inputs);

}  // namespace effdet::ops
