// What a ConvTranspose writes where.
#pragma once

#include "ops/window.h"

namespace effdet::ops {

/// A transposed convolution's window and output: y[i * stride + tap * dilation - pad_begin] += x[i] * w[tap].
struct Transposed {
  Window window;  ///< pad_end may be below 0, where the output is larger than what is written
  Shape output;   ///< without batch and channels
};

/// Of input and weights of known shapes. Throws Error(kBadInput) for attributes that do not fit them.
Transposed transposed_window(const ir::Node& node, const Shape& x, const Shape& w);

}  // namespace effdet::ops
