// Pads that convolutions and pools can take over.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace effdet::passes {

/// A constant-mode Pad of the spatial dimensions only.
struct SpatialPad {
  std::vector<int64_t> pads;  ///< spatial begins, then ends; none is negative
  double value = 0;
};

/// What the node pads with; nothing where it is no such Pad, or where that is not known before the graph runs.
std::optional<SpatialPad> spatial_pad(const ir::Graph& graph, const ir::Node& pad);

}  // namespace effdet::passes
