// How the dimensions of a value lie in memory.
#pragma once

#include <cstdint>

namespace effdet::ir {

enum class Layout : uint8_t {
  kPlain,  ///< in the order that ONNX's operators give them: NCHW for a map
  kNhwc,   ///< a map with channels last: [batch, height, width, channels]
};

}  // namespace effdet::ir
