// Operators that know axes and no layout: how they are written for maps that lie NHWC.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace effdet::compiler {

struct LayoutFollower {
  std::vector<size_t> maps;  ///< the inputs that lie otherwise; the rest stays, or is rewritten
  bool gives_maps = true;    ///< whether the outputs lie otherwise too
};

/// Nothing where a node, written for NCHW, cannot be written for NHWC.
std::optional<LayoutFollower> layout_follower(const ir::Graph& graph, const ir::Node& node);

/// Rewrites such a node's axes and lists. Its maps are up to the caller.
void write_for_nhwc(ir::Graph& graph, ir::Node& node);

}  // namespace effdet::compiler
