// The convolution behind Conv, for operators that are made of one.
#pragma once

#include "ops/window.h"

namespace effdet::ops {

/// Output shape of a convolution of x [N, C, H, W] (or [N, C, W]) by w [M, C / groups, kh, kw]; the window is resolved
/// too. Reads strides, dilations, pads, auto_pad and group from the node.
WindowedShape conv_window(const ir::Node& node, const Shape& x, const Shape& w);

/// y = conv(x, w) + bias. bias may be null, threads too. Sums in the tensors' own type (float32 or float64), in the
/// order channel, row, column of the kernel; the result does not depend on the number of threads.
void convolve(const EvalContext& c, const Tensor& x, const Tensor& w, const Tensor* bias, Tensor& y);

}  // namespace effdet::ops
