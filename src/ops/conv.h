// The convolution behind Conv, for operators that are made of one.
#pragma once

#include "ops/window.h"

namespace effdet::ops {

/// Output shape of a convolution of x [N, C, 1 to 3 dimensions] by w [M, C / groups, kernel]; the window is resolved
/// too. Reads strides, dilations, pads, auto_pad and group from the node.
WindowedShape conv_window(const ir::Node& node, const Shape& x, const Shape& w);

/// The shape of a convolution's output, with everything checked that a kernel relies on; -1 for what is not known.
Shape conv_shape(const InferContext& c, const Shape& x, const Shape& w, const std::optional<Shape>& bias);

/// y = conv(x, w) + bias. bias may be null, threads too. Sums in the tensors' own type (float32 or float64), in the
/// order channel, row, column of the kernel; the result does not depend on the number of threads.
void convolve(const EvalContext& c, const Tensor& x, const Tensor& w, const Tensor* bias, Tensor& y);

}  // namespace effdet::ops
