// simplify(): all rewrites, in an order, until nothing changes.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "passes/passes.h"

namespace effdet::passes {

struct SimplifyOptions {
  bool fold_constants = true;
  bool fuse_bn = true;  ///< also Mul and Add after a Conv
  /// Pads become part of the Conv or MaxPool that reads them. Off: Pad nodes and their constants stay to be edited.
  bool fold_pads = true;
  std::set<std::string, std::less<>> skip;  ///< names of passes to leave out, see pass_names()
  FoldLimits fold_limits;
  std::map<std::string, Shape> input_shapes;  ///< replace the inputs' shapes first, see set_input_shape
  std::function<void(std::string_view)> log;  ///< one line for each pass that changed something; may be empty
};

/// Simplifies in place. The result computes the same up to rounding: ops::run_reference differs by about 1e-6 of an
/// output's largest magnitude where BatchNormalization was folded. Shapes are inferred on return. Input and output
/// names stay, and nodes that nobody understands (ir::Node::opaque). Throws Error(kBadInput) for graphs that are wrong
/// and Error(kUsage) for a pass to skip that does not exist.
void simplify(ir::Graph& graph, const SimplifyOptions& options = {});
/// The same within a budget that others use too.
void simplify(ir::Graph& graph, const SimplifyOptions& options, RewriteBudget& budget);

/// The passes, in their order.
std::vector<std::string> pass_names();

}  // namespace effdet::passes
