// What this machine can do at best, measured: the limits that a profile compares layers with.
#pragma once

#include "base/thread_pool.h"

namespace effdet::kernels {

struct MachineRates {
  double gemm_flops = 0;  ///< a second, float32, own matrix multiplication on data in the cache
  double bf16_flops = 0;  ///< the same in bfloat16
  double copy_bytes = 0;  ///< a second, read and written together, on data far larger than the caches
};

/// Takes about half a second. Throws Error(kOutOfMemory).
MachineRates measure_machine(ThreadPool& threads);

}  // namespace effdet::kernels
