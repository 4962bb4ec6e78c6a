// The coarse structure of a graph, from its names.
#pragma once

#include <vector>

#include "effdet/structure.h"
#include "ir/graph.h"

namespace effdet::model {

/// The blocks in execution order, inputs first; effdet/structure.h says how nodes are grouped. Shapes are inferred.
std::vector<StructureBlock> structure(const ir::Graph& graph);

}  // namespace effdet::model
