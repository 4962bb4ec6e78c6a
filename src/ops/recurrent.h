// What LSTM, GRU and RNN have in common, for kernels that run them otherwise.
#pragma once

#include "ops/op.h"

namespace effdet::ops {

/// Sizes of a recurrent layer.
struct RecurrentSizes {
  int64_t steps, batch, inputs, hidden, directions;
};

/// Of a node whose inputs have known shapes. Throws Error(kBadInput) where these, or attributes, do not fit each other.
RecurrentSizes recurrent_sizes(const InferContext& c);

/// Whether a node's attributes leave the operator's own functions and limits: the default activations, no clipping, no
/// coupled gates, time outermost.
bool is_plain_recurrent(const ir::Node& node);

}  // namespace effdet::ops
