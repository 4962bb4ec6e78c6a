// Loops over runs of values in vectors, the last of which may be partial.
#pragma once

#include "kernels/cpu/isa/vec.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

/// Calls f(offset, lanes) over count values, whole vectors first.
template <typename F>
EFFDET_INLINE void for_vectors(int64_t count, F&& f) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) f(i, kLanes);
  if (i < count) f(i, static_cast<int>(count - i));
}

template <typename T>
EFFDET_INLINE Vec get(const T* p, int lanes) {
  return lanes == kLanes ? load(p) : load_part(p, lanes);
}
template <typename T>
EFFDET_INLINE void put(T* p, Vec v, int lanes) {
  if (lanes == kLanes) {
    store(p, v);
  } else {
    store_part(p, v, lanes);
  }
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
