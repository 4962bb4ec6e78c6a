// Folding a scale and a shift per channel into the convolutions before them.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace effdet::passes {

/// y = x * scale[channel] + shift[channel].
struct ChannelAffine {
  std::vector<double> scale, shift;
};

/// What makes a value for one reader and nobody else: a Conv, or several and a Concat of their channels, all with
/// constant float32 weights and biases.
struct SoleConvs {
  std::vector<ir::Node*> convs;  ///< by their channels in the value
  ir::Node* last = nullptr;      ///< which writes the value: the Conv, or the Concat
  int64_t channels = 0;          ///< of the value
  size_t rank = 0;
};

/// Nothing where something else makes it.
std::optional<SoleConvs> sole_convs(ir::Graph& graph, const ir::Uses& uses, ir::ValueId id);

/// Makes them compute the affine of what they did and write it to `output`. Weights that others read too are copied.
void fold_into_convs(ir::Graph& graph, const ir::Uses& uses, const SoleConvs& convs, const ChannelAffine& affine,
                     ir::ValueId output);

}  // namespace effdet::passes
