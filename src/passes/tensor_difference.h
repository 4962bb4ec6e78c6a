// How far two tensors are apart.
#pragma once

#include <limits>

#include "base/tensor.h"

namespace effdet::passes {

/// What relative_difference says of tensors that differ in type or shape, or where only one is finite.
inline constexpr double kDifferent = std::numeric_limits<double>::infinity();

/// The largest absolute difference, relative to the largest magnitude in `a`.
double relative_difference(const Tensor& a, const Tensor& b);

/// The difference that is accepted of a type where `tolerance` is of float32: 16-bit floats have fewer digits.
double accepted_difference(DType dtype, double tolerance);

}  // namespace effdet::passes
