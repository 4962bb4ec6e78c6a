// Other outputs for a graph.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace effdet::passes {

/// The values of these names become the graph's outputs, in this order; what only others needed goes. An empty list
/// leaves the graph as it is. Throws Error(kUsage) for a name that the graph does not have.
void choose_outputs(ir::Graph& graph, const std::vector<std::string>& names);

}  // namespace effdet::passes
