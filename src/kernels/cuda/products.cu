// Descriptions of products for cuBLASLt. It has matrices by columns: our rows of y are its columns, so that it
// multiplies the weights by the pixels, and a bias is one of its rows.
#include "kernels/cuda/products.cuh"

#include "kernels/cuda/codes.cuh"

namespace effdet::kernels::cuda {
namespace {

constexpr size_t kWorkspaceBytes = size_t{32} << 20;
/// What tensors are aligned to at least (artifact::kTensorAlignment).
constexpr uint32_t kAlignment = 64;

cudaDataType_t type_of(Element element) {
  return element == Element::kF16 ? CUDA_R_16F : element == Element::kBf16 ? CUDA_R_16BF : CUDA_R_32F;
}

/// A matrix by columns, repeated for a batch.
struct Layout {
  cublasLtMatrixLayout_t handle = nullptr;
  ~Layout() {
    if (handle != nullptr) cublasLtMatrixLayoutDestroy(handle);
  }
  cublasStatus_t make(Element element, int64_t rows, int64_t columns, int64_t stride, const Gemm& gemm, int64_t step) {
    cublasStatus_t status = cublasLtMatrixLayoutCreate(&handle, type_of(element), static_cast<uint64_t>(rows),
                                                       static_cast<uint64_t>(columns), stride);
    const auto batch = static_cast<int32_t>(gemm.batch);
    if (status == CUBLAS_STATUS_SUCCESS)
      status = cublasLtMatrixLayoutSetAttribute(handle, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof batch);
    if (status == CUBLAS_STATUS_SUCCESS)
      status =
          cublasLtMatrixLayoutSetAttribute(handle, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &step, sizeof step);
    return status;
  }
};

}  // namespace

struct Products::Plan {
  ~Plan() {
    if (product != nullptr) cublasLtMatmulDescDestroy(product);
  }

  template <typename T>
  cublasStatus_t set(cublasLtMatmulDescAttributes_t attribute, const T& value) const {
    return cublasLtMatmulDescSetAttribute(product, attribute, &value, sizeof value);
  }

  cublasLtMatmulDesc_t product = nullptr;
  Layout a, b, y;
  cublasLtMatmulAlgo_t algorithm;
};

Products::Products() = default;

Products::~Products() {
  plans_.clear();
  if (handle_ != nullptr) cublasLtDestroy(handle_);
  cudaFree(workspace_);
}

int Products::start() {
  if (const cudaError_t error = cudaMalloc(&workspace_, kWorkspaceBytes); error != cudaSuccess) return code_of(error);
  return code_of(cublasLtCreate(&handle_));
}

Products::Key Products::key_of(const Gemm& g) {
  return {g.in,     g.out,    g.rows,   g.columns,         g.depth,           g.w_stride,           g.batch,
          g.x_step, g.w_step, g.y_step, g.y_is_transposed, g.bias != nullptr, g.residual != nullptr};
}

cublasStatus_t Products::make_plan(const Gemm& g, Plan& plan) const {
#define EFFDET_TRY(call) \
  if (const cublasStatus_t status = call; status != CUBLAS_STATUS_SUCCESS) return status
  EFFDET_TRY(cublasLtMatmulDescCreate(&plan.product, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  // By columns, x [rows][depth] is depth x rows, w [depth][columns] is columns x depth.
  Layout& x = g.y_is_transposed ? plan.a : plan.b;
  Layout& w = g.y_is_transposed ? plan.b : plan.a;
  EFFDET_TRY(x.make(g.in, g.depth, g.rows, g.depth, g, g.x_step));
  EFFDET_TRY(w.make(g.in, g.columns, g.depth, g.w_stride, g, g.w_step));
  if (g.y_is_transposed) {
    EFFDET_TRY(plan.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T));
    EFFDET_TRY(plan.set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_T));
    EFFDET_TRY(plan.y.make(g.out, g.rows, g.columns, g.rows, g, g.y_step));
  } else {
    EFFDET_TRY(plan.y.make(g.out, g.columns, g.rows, g.columns, g, g.y_step));
  }
  if (g.bias != nullptr) {
    EFFDET_TRY(plan.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS));
    EFFDET_TRY(plan.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, static_cast<int32_t>(type_of(g.out))));
    EFFDET_TRY(plan.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, g.bias));
  }
  cublasLtMatmulPreference_t preference = nullptr;
  EFFDET_TRY(cublasLtMatmulPreferenceCreate(&preference));
  cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &kWorkspaceBytes,
                                       sizeof kWorkspaceBytes);
  for (const auto operand : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                             CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
    cublasLtMatmulPreferenceSetAttribute(preference, operand, &kAlignment, sizeof kAlignment);
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
      handle_, plan.product, plan.a.handle, plan.b.handle, plan.y.handle, plan.y.handle, preference, 1, &best, &found);
  cublasLtMatmulPreferenceDestroy(preference);
  if (status != CUBLAS_STATUS_SUCCESS) return status;
  if (found == 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  plan.algorithm = best.algo;
  return CUBLAS_STATUS_SUCCESS;
#undef EFFDET_TRY
}

int Products::run(const Gemm& g, cudaStream_t stream) {
  auto found = plans_.find(key_of(g));
  if (found == plans_.end()) {
    auto plan = std::make_unique<Plan>();
    if (const cublasStatus_t status = make_plan(g, *plan); status != CUBLAS_STATUS_SUCCESS) return code_of(status);
    found = plans_.emplace(key_of(g), std::move(plan)).first;
  }
  const Plan& plan = *found->second;
  if (g.bias != nullptr)
    if (const cublasStatus_t status = plan.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, g.bias);
        status != CUBLAS_STATUS_SUCCESS)
      return code_of(status);
  const float one = 1, share = g.residual != nullptr ? 1 : 0;
  const void* a = g.y_is_transposed ? g.x : g.w;
  const void* b = g.y_is_transposed ? g.w : g.x;
  return code_of(cublasLtMatmul(handle_, plan.product, &one, a, plan.a.handle, b, plan.b.handle, &share,
                                g.residual != nullptr ? g.residual : g.y, plan.y.handle, g.y, plan.y.handle,
                                &plan.algorithm, workspace_, kWorkspaceBytes, stream));
}

}  // namespace effdet::kernels::cuda
