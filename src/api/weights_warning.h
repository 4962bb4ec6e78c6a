// Weights that make a model useless: what a training that diverged leaves.
#pragma once

#include <string>

#include "ir/graph.h"

namespace effdet::api {

/// "" where all weights are finite, or one line: how many are NaN or infinite, and the first one's name. Single values
/// are limits, not weights: a Pad before a max pool has -infinity.
std::string weights_warning(const ir::Graph& graph);

}  // namespace effdet::api
