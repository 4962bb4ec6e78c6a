// How large values can become whose shape depends on the image's content.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace effdet::compiler {

/// For each value the largest shape that it can have: its own where that is known, else what follows from the operators
/// that make it; nothing where that says no more than "any". Precondition: shapes are inferred.
std::vector<std::optional<Shape>> shape_limits(const ir::Graph& graph);

}  // namespace effdet::compiler
