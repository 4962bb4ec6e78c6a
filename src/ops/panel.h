// Panels of packed weights, as the file format has them. Code for single instruction sets includes this too, and
// nothing that the linker could share is in it.
#pragma once

#include <cstdint>

namespace effdet::ops {

/// Output channels of one panel of packed weights: a multiple of every vector width, so that a compiled model runs on
/// each.
inline constexpr int64_t kPanelChannels = 16;

}  // namespace effdet::ops
