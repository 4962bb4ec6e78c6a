// simplify(): all rewrites, in an order, until nothing changes.
#pragma once

#include <string>
#include <vector>

#include "effdet/onnx_options.h"
#include "ir/graph.h"
#include "passes/passes.h"

namespace effdet::passes {

/// Simplifies in place. The result computes the same up to rounding: ops::run_reference differs by about 1e-6 of an
/// output's largest magnitude where BatchNormalization was folded. Shapes are inferred on return. Input and output
/// names stay, and nodes that nobody understands (ir::Node::opaque). Throws Error(kBadInput) for graphs that are wrong
/// and Error(kUsage) for a pass to skip, or an input,
/// that does not exist.
void simplify(ir::Graph& graph, const SimplifyOptions& options = {});
/// The same within a budget that others use too.
void simplify(ir::Graph& graph, const SimplifyOptions& options, RewriteBudget& budget);

/// The passes, in their order.
std::vector<std::string> pass_names();

}  // namespace effdet::passes
