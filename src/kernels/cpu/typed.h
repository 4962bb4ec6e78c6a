// From a tensor's type to the code for it.
#pragma once

#include <algorithm>
#include <memory>
#include <new>

#include "kernels/cpu/micro_kernels.h"
#include "kernels/kernel.h"
#include "ops/fused/packing.h"

namespace effdet::kernels::cpu {

template <typename T>
const MapKernels<T>& map_kernels(const MicroKernels& micro) {
  if constexpr (kPair<T> == 1) {
    return micro.f32;
  } else {
    return micro.bf16;
  }
}

/// Values of k in packed weights for maps of type T: whole pairs, or quads of int8.
template <typename T>
int64_t padded_depth(int64_t depth) {
  constexpr DType kWeights = kPair<T> == 1 ? DType::kF32 : kPair<T> == 2 ? DType::kBF16 : DType::kI8;
  static_assert(kPair<T> == ops::rows_together(kWeights));
  return ops::padded_depth(depth, kWeights);
}

/// Elements of a tensor of that shape, which inference has checked.
inline int64_t shape_numel(const Shape& shape) { return Tensor(DType::kF32, shape, nullptr).numel(); }

/// Values that parts of scratch memory are multiples of: whole cache lines, of either type.
inline constexpr int64_t kLineValues = 32;

/// Whether what is packed into panels takes too many values beside those that there are: panels of few columns are
/// mostly zeros.
inline bool packs_too_large(int64_t packed, int64_t values) {
  constexpr int64_t kFree = int64_t{1} << 23;
  return packed > std::max(kFree, 2 * values);
}

/// Memory for weights that a plan makes, not initialised; aligned to a cache line, and so to every vector.
template <typename T>
std::shared_ptr<T[]> aligned_array(size_t size) {
  constexpr std::align_val_t kLine{64};
  return {static_cast<T*>(::operator new[](size * sizeof(T), kLine)), [](T* p) { ::operator delete[](p, kLine); }};
}

inline void gemm(const MicroKernels& micro, const GemmBlock<float, float>& block) { micro.f32.gemm(block); }
inline void gemm(const MicroKernels& micro, const GemmBlock<float, Bf16>& block) { micro.gemm_narrow(block); }
inline void gemm(const MicroKernels& micro, const GemmBlock<Bf16, Bf16>& block) { micro.bf16.gemm(block); }
inline void gemm(const MicroKernels& micro, const GemmBlock<Bf16, float>& block) { micro.gemm_widen(block); }

inline void depthwise(const MicroKernels& micro, const DepthwiseRows<float>& rows) { micro.f32.depthwise(rows); }
inline void depthwise(const MicroKernels& micro, const DepthwiseRows<Bf16>& rows) { micro.bf16.depthwise(rows); }
inline void depthwise(const MicroKernels& micro, const DepthwiseRows<float, Bf16>& rows) {
  micro.depthwise_narrow(rows);
}

/// A Kernel whose maps, in and out, have the type of the first input; made from the context and what else it takes.
template <template <typename> class K, typename... Attributes>
Plan plan_typed(const PlanContext& c, const Attributes&... attributes) {
  const DType in = c.inputs[0].dtype, out = c.outputs[0].dtype;
  if (in != out) return {nullptr, "input and output of two types"};
  if (in == DType::kF32) return {std::make_unique<K<float>>(c, attributes...), ""};
  if (in == DType::kBF16) return {std::make_unique<K<Bf16>>(c, attributes...), ""};
  return {nullptr, "neither float32 nor bfloat16"};
}

/// The same for kernels that may change the type on the way.
template <template <typename, typename> class K, typename... Attributes>
Plan plan_typed(const PlanContext& c, const Attributes&... attributes) {
  const DType in = c.inputs[0].dtype, out = c.outputs[0].dtype;
  if (in == DType::kF32 && out == DType::kF32) return {std::make_unique<K<float, float>>(c, attributes...), ""};
  if (in == DType::kF32 && out == DType::kBF16) return {std::make_unique<K<float, Bf16>>(c, attributes...), ""};
  if (in == DType::kBF16 && out == DType::kBF16) return {std::make_unique<K<Bf16, Bf16>>(c, attributes...), ""};
  if (in == DType::kBF16 && out == DType::kF32) return {std::make_unique<K<Bf16, float>>(c, attributes...), ""};
  return {nullptr, "neither float32 nor bfloat16"};
}

}  // namespace effdet::kernels::cpu
