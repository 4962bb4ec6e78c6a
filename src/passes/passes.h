// The rewrites of simplify(), one a file. Each takes a graph in topological order whose shapes are inferred, leaves one
// that computes the same, and returns whether it changed anything; nodes that nobody reads any more are left to
// compact().
#pragma once

#include <functional>

#include "effdet/onnx_options.h"
#include "ir/graph.h"
#include "passes/budget.h"

namespace effdet::passes {

/// Runs nodes whose inputs are all constant, and shape arithmetic whose result is known though a batch may not be. What
/// would make the file grow beyond the limits stays, an Expand to a large shape say: a constant that others read goes
/// with the last of them. So do convolutions, pools and matrix products, nodes that make a graph output, and
/// DequantizeLinear: weights stay 8-bit integers, for whoever computes with them.
/// Limits, beside the budget of all rewrites, are options.largest_growth and what it says of on_growth.
bool fold_constants(ir::Graph& graph, const SimplifyOptions& options, RewriteBudget& budget);

/// Puts the nodes of a branch in the place of each If whose condition is known: a constant, or shape arithmetic, as in
/// what PyTorch exports for squeeze(). An If inside a branch is treated likewise.
bool inline_branches(ir::Graph& graph);

/// For graphs that are to be run: the same, and for an If by a condition that is not known the nodes of both branches,
/// which are marked as conditional, with an ai.effdet::Choose for each output.
bool join_branches(ir::Graph& graph);

/// Takes out nodes that pass their input on: Identity, Dropout, Cast to the same type, Reshape to the same shape,
/// Transpose that keeps the order, Pad by nothing, Concat and Sum of one...
bool eliminate_identity(ir::Graph& graph);

/// Makes one of nodes that compute the same from the same inputs (common subexpressions).
bool merge_equal_nodes(ir::Graph& graph);

/// Makes one of constants with the same type, shape and bytes.
bool merge_equal_constants(ir::Graph& graph);

/// BatchNormalization after a Conv (depthwise too) becomes part of its weights and bias, computed in double. Weights
/// that others read are copied, within the budget.
bool fold_batch_norm(ir::Graph& graph, RewriteBudget& budget);

/// Mul, Div, Add and Sub by a constant per channel after a Conv become part of its weights and bias, in the same way.
bool fold_affine(ir::Graph& graph, RewriteBudget& budget);

/// Pad by zeros before a Conv, by -inf before a MaxPool, and by zeros before a MaxPool of values that are never
/// negative become the reader's own padding.
bool fold_pad(ir::Graph& graph);

/// Unsqueeze of several values, Concat and ReduceSum over the new axis (a sum of a stack) become one Add or Sum.
bool stack_to_sum(ir::Graph& graph);

/// The sizes of a Resize that keep an unknown dimension (a dynamic batch) as it is become constant scales.
bool sizes_to_scales(ir::Graph& graph);

/// GlobalAveragePool becomes ReduceMean over height and width: ONNX Runtime adds up a pool's values one after the other
/// in float32, an error that grows with the map, and a mean's in parts.
bool pools_to_means(ir::Graph& graph);

/// Two multiplications or divisions by constants in a row become one multiplication.
bool merge_scales(ir::Graph& graph);

// The following are for the compiler: simplify() leaves quantized models as they are.

/// Nodes that stand for several others become these: Attention, and nodes on quantized tensors (QLinearConv,
/// com.microsoft's QLinearAdd, QGemm...) DequantizeLinear, the operator on floats and QuantizeLinear. So do nodes that
/// move codes which such a node or QuantizeLinear made. Precondition: shapes are inferred.
bool spell_out(ir::Graph& graph);

/// Whether a node only moves, repeats or compares what its first input holds, so that it makes of codes what it makes
/// of their numbers. Concat, which does so with all of its inputs, is not among them.
bool moves_first_input(const ir::Node& node);

/// DequantizeLinear of constants becomes their floats, but for nodes that `keep` names. Each constant may become floats
/// once; more than that is within the budget.
bool fold_dequantized(ir::Graph& graph, RewriteBudget& budget,
                      const std::function<bool(const ir::Node&)>& keep = nullptr);

}  // namespace effdet::passes
