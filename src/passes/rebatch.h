// Giving a graph's input another shape.
#pragma once

#include "ir/graph.h"

namespace effdet::passes {

/// Changes an input's shape and infers all shapes anew. Constants that hold the old batch size as their leading number
/// (the shape of a Reshape or Expand, the sizes of a Resize) are patched. Throws Error(kUsage) where there is no such
/// input or the rank differs, and Error(kUnsupported) where the graph does not fit the new shape, for instance because
/// it was exported with a fixed height and width baked in.
void set_input_shape(ir::Graph& graph, const std::string& name, const Shape& shape);

/// As set_input_shape with another height and width; sizes of Resize nodes are scaled along where that is exact.
void set_input_size(ir::Graph& graph, const std::string& name, int64_t height, int64_t width);

}  // namespace effdet::passes
