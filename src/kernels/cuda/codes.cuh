// Codes of the module: those of the CUDA runtime, and above them those of cuBLASLt.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

namespace effdet::kernels::cuda {

inline constexpr int kFirstProductCode = 100000;

inline int code_of(cudaError_t error) { return static_cast<int>(error); }
inline int code_of(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? 0 : kFirstProductCode + static_cast<int>(status);
}

}  // namespace effdet::kernels::cuda
