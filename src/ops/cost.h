// What running a node costs, from shapes alone: for profiles, and for what may be computed ahead.
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

/// Whether the work may be out of proportion to the sizes of inputs and outputs. No exporter leaves such nodes on
/// constants, and a hostile file might.
bool is_heavy(const ir::Node& node);

}  // namespace effdet::ops
