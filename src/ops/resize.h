// How a Resize samples, for kernels that do it another way than its reference kernel.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "ops/op.h"

namespace effdet::ops {

/// An output position as a weighted sum of two input positions; one that takes a single input has it twice, by halves,
/// so that nothing is ever multiplied by 0.
struct TwoTaps {
  std::array<int64_t, 2> index;
  std::array<float, 2> weight;
};

/// For each axis of input 0 the taps of all output positions; empty for an axis that stays as it is. Nothing where the
/// node samples in another way (cubic, with antialias, by a region) or its sizes are not known. Throws as inference.
std::optional<std::vector<std::vector<TwoTaps>>> resize_taps(const InferContext& c);

/// Whether the node is a Resize that only repeats or leaves out values of its input. By a region it may put a number of
/// its own around them.
bool is_nearest_resize(const ir::Node& node);

}  // namespace effdet::ops
