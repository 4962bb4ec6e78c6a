// Conversions of 16-bit floats, and an exponential, by the GPU's instructions. A part of number.h.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace effdet::kernels::cuda {

EFFDET_CUDA float to_float(Fp16 x) { return __half2float(__ushort_as_half(x.bits)); }
EFFDET_CUDA float to_float(Bf16 x) { return __uint_as_float(static_cast<uint32_t>(x.bits) << 16); }

template <>
EFFDET_CUDA Fp16 from_float<Fp16>(float x) {
  return {__half_as_ushort(__float2half_rn(x))};
}
template <>
EFFDET_CUDA Bf16 from_float<Bf16>(float x) {
  return {__bfloat16_as_ushort(__float2bfloat16_rn(x))};
}

EFFDET_CUDA uint32_t bits_of(float x) { return __float_as_uint(x); }

/// Two units in the last place.
EFFDET_CUDA float fast_exp(float x) { return __expf(x); }

}  // namespace effdet::kernels::cuda
