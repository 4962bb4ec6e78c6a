// Pads by -infinity, which some targets do not have.
#pragma once

#include "ir/graph.h"

namespace effdet::passes {

/// Sets the constant of every Pad that pads with -infinity to 0; how many there were. The values of the graph's outputs
/// stay where what is padded is not negative, as before a max pool of activations.
int zero_minus_infinity_pads(ir::Graph& graph);

}  // namespace effdet::passes
