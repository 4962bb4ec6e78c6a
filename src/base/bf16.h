// bfloat16: the upper half of a float. Nothing but the type, since code for single instruction sets includes it.
#pragma once

#include <cstdint>

namespace effdet::inline base {

struct Bf16 {
  uint16_t bits;
};

}  // namespace effdet::inline base
