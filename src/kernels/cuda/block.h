// What kernels are written in: phases between barriers over the threads of a block. The same source compiles as CUDA, a
// thread each (device_block.cuh), and as C++, a loop over the threads (host_block.h).
//
// A kernel is a struct with Args, which travel by value, and a function
//
//   template <typename Block> static EFFDET_CUDA void run(Block& block, const Args& args);
//
// where a Block has
//
//   int64_t index()           which block this is
//   int threads()             of the block
//   void each(phase)          calls phase(thread) for every thread, then waits for all of them
//   uint32_t add(counter, n)  adds to a counter that others add to in the same phase; what it was before depends on the
//                             order of threads and blocks, and its sum does not
//   T* shared<T>()            the block's shared memory, the same for every T; it begins with anything
//   Local<T>                  a T of every thread, which outlives a phase: Local<T> x(block), x[thread]
//
// What a phase of one thread writes to shared memory, others read in later phases alone.
#pragma once

#include <cstdint>

#include "base/device_function.h"

namespace effdet::kernels::cuda {

/// Neighbouring values that are loaded together, 16 bytes at a time.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount < 16 ? sizeof(T) * kCount : 16) Pack {
  T values[kCount];
};

template <int kCount, typename T>
EFFDET_CUDA Pack<T, kCount> load(const T* from) {
  return *reinterpret_cast<const Pack<T, kCount>*>(from);
}
template <int kCount, typename T>
EFFDET_CUDA void store(T* to, const Pack<T, kCount>& pack) {
  *reinterpret_cast<Pack<T, kCount>*>(to) = pack;
}

}  // namespace effdet::kernels::cuda
