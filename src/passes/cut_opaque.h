// Two graphs without the nodes that nobody understands, so that the rest can be run and compared.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace effdet::passes {

struct CutGraphs {
  ir::Graph a, b;
  bool same = true;                    ///< whether both had the same opaque nodes, by name, operator and attributes
  size_t opaque = 0;                   ///< nodes that were taken out of b
  std::vector<std::string> operators;  ///< their operators, each once
  std::vector<std::string> lost;       ///< outputs of b that went with them
};

/// Takes opaque nodes (ir::Node) out of a graph and what a rewrite made of it: what they read becomes outputs, after
/// the graph's own, and what they make becomes inputs, of the same names in both. Where that has no known type and
/// shape in either, what is computed from it goes too. Precondition: shapes are inferred.
CutGraphs cut_opaque(ir::Graph a, ir::Graph b);

}  // namespace effdet::passes
