// A block of CUDA: each thread runs its part of a phase, then waits at the barrier.
#pragma once

#include "kernels/cuda/block.h"

namespace effdet::kernels::cuda {

class DeviceBlock {
 public:
  template <typename T>
  class Local {
   public:
    __device__ explicit Local(DeviceBlock&) {}
    __device__ T& operator[](int) { return value_; }

   private:
    T value_;
  };

  __device__ int64_t index() const { return blockIdx.x; }
  __device__ int threads() const { return static_cast<int>(blockDim.x); }

  template <typename Phase>
  __device__ void each(Phase&& phase) {
    phase(static_cast<int>(threadIdx.x));
    __syncthreads();
  }

  __device__ uint32_t add(uint32_t* counter, uint32_t n) { return atomicAdd(counter, n); }

  template <typename T>
  __device__ T* shared() {
    extern __shared__ __align__(16) unsigned char memory[];
    return reinterpret_cast<T*>(memory);
  }
};

}  // namespace effdet::kernels::cuda
