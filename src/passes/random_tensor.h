// Random tensors to run graphs on.
#pragma once

#include "ir/graph.h"

namespace effdet::passes {

/// What numbers of a type of whole numbers may be: models look up tables by them, so that large ones may lie outside of
/// what a model takes. Floats and bytes do not depend on it.
enum class IntegerRange { kSmall, kBits, kZero };  ///< 0 to 15, 0 and 1, 0

/// Floats: about normal with deviation 1, within 3.5. Bytes: all values. bool: both. Other whole numbers: `range`.
/// The same seed gives the same tensor. Throws Error(kBadInput) where the value's shape is not known to the last
/// dimension, naming it.
Tensor random_tensor(const ir::Value& value, uint64_t seed, IntegerRange range = IntegerRange::kSmall);

/// Whether `range` changes what random_tensor makes of the type.
bool has_range(DType dtype);

}  // namespace effdet::passes
