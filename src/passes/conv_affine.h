// Folding a scale and a shift per channel into the convolution before them.
#pragma once

#include "ir/graph.h"

namespace effdet::passes {

/// y = x * scale[channel] + shift[channel].
struct ChannelAffine {
  std::vector<double> scale, shift;
};

/// The Conv that alone makes input 0 or 1 of a reader for nobody else, with constant float32 weights and bias; or null.
ir::Node* sole_conv(ir::Graph& graph, const ir::Uses& uses, ir::ValueId id);

/// Output channels of such a Conv.
int64_t conv_channels(const ir::Graph& graph, const ir::Node& conv);

/// Makes the Conv compute affine(conv(x)) and write it to `output`. Weights that others read too are copied.
void fold_into_conv(ir::Graph& graph, const ir::Uses& uses, ir::Node& conv, const ChannelAffine& affine,
                    ir::ValueId output);

}  // namespace effdet::passes
