// Graphs without the nodes that nobody understands, so that the rest can be run.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace effdet::passes {

struct CutGraph {
  ir::Graph graph;
  size_t opaque = 0;                   ///< nodes that were taken out
  std::string keys;                    ///< what these are; the same text means the same nodes
  std::vector<std::string> operators;  ///< their operators, each once
  std::vector<std::string> lost;       ///< outputs that went with them
};

/// Takes opaque nodes (ir::Node) out: what they read becomes outputs, behind the graph's own, and what they make
/// becomes inputs. Where that has no known type and shape, what is computed from it goes too. Precondition: shapes are
/// inferred.
CutGraph cut_opaque(const ir::Graph& graph);

}  // namespace effdet::passes
