// What running a node costs, from shapes alone: for profiles.
#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace effdet::ops {

struct Cost {
  int64_t flops = 0;  ///< multiplications and additions, one each; elsewhere one an output element
  int64_t bytes = 0;  ///< of all inputs and outputs, each counted once
};

/// Precondition: infer_shapes() has run and every shape is known.
Cost cost_of(const ir::Graph& graph, const ir::Node& node);

}  // namespace effdet::ops
