// Products by cuBLASLt, with the algorithm for each shape looked up once.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <map>
#include <memory>
#include <tuple>

#include "kernels/cuda/api.h"

namespace effdet::kernels::cuda {

/// Of one stream. Functions return codes of the module (module.cu).
class Products {
 public:
  Products();
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;
  int start();
  int run(const Gemm& gemm, cudaStream_t stream);

 private:
  struct Plan;
  /// What a plan depends on: all of a Gemm but its addresses, and which of these are null.
  using Key = std::tuple<Element, Element, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool,
                         bool, bool>;

  static Key key_of(const Gemm& gemm);
  cublasStatus_t make_plan(const Gemm& gemm, Plan& plan) const;

  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::map<Key, std::unique_ptr<Plan>> plans_;
};

}  // namespace effdet::kernels::cuda
