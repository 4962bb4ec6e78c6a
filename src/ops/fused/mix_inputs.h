// How many inputs a Mix has. Code for single instruction sets includes this too, and nothing that the linker could
// share is in it.
#pragma once

#include <cstddef>

namespace effdet::ops {

/// The most inputs that a Mix has.
inline constexpr size_t kMaxMixInputs = 4;

}  // namespace effdet::ops
