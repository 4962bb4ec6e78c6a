// The rewrites of simplify(), one a file. Each takes a graph in topological order whose shapes are inferred, leaves one
// that computes the same, and returns whether it changed anything; nodes that nobody reads any more are left to
// compact().
#pragma once

#include "ir/graph.h"

namespace effdet::passes {

/// Runs nodes whose inputs are all constant, and shape arithmetic whose result is known though a batch may not be. What
/// would make the file grow stays: a node that adds more than 1 MB (an Expand, say), and any once 64 MB were added. So
/// do convolutions, pools and matrix products, and nodes that make a graph output.
bool fold_constants(ir::Graph& graph);

/// Takes out nodes that pass their input on: Identity, Dropout, Cast to the same type, Reshape to the same shape,
/// Transpose that keeps the order, Pad by nothing, Concat and Sum of one...
bool eliminate_identity(ir::Graph& graph);

/// Makes one of nodes that compute the same from the same inputs (common subexpressions).
bool merge_equal_nodes(ir::Graph& graph);

/// Makes one of constants with the same type, shape and bytes.
bool merge_equal_constants(ir::Graph& graph);

/// BatchNormalization after a Conv (depthwise too) becomes part of its weights and bias, computed in double.
bool fold_batch_norm(ir::Graph& graph);

/// Mul, Div, Add and Sub by a constant per channel after a Conv become part of its weights and bias.
bool fold_affine(ir::Graph& graph);

/// Pad by zeros before a Conv, by -inf before a MaxPool, and by zeros before a MaxPool of values that are never
/// negative become the reader's own padding.
bool fold_pad(ir::Graph& graph);

/// Unsqueeze of several values, Concat and ReduceSum over the new axis (a sum of a stack) become one Add or Sum.
bool stack_to_sum(ir::Graph& graph);

/// The sizes of a Resize that keep an unknown dimension (a dynamic batch) as it is become constant scales.
bool sizes_to_scales(ir::Graph& graph);

/// Two multiplications or divisions by constants in a row become one multiplication.
bool merge_scales(ir::Graph& graph);

}  // namespace effdet::passes
