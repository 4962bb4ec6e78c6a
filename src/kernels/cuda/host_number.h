// The same as device_number.cuh in C++. A part of number.h.
#pragma once

#include <bit>
#include <cmath>

#include "base/tensor.h"

namespace effdet::kernels::cuda {

EFFDET_CUDA float to_float(Fp16 x) { return half_to_float(x.bits); }
EFFDET_CUDA float to_float(Bf16 x) { return bfloat16_to_float(x.bits); }

template <>
EFFDET_CUDA Fp16 from_float<Fp16>(float x) {
  return {float_to_half(x)};
}
template <>
EFFDET_CUDA Bf16 from_float<Bf16>(float x) {
  return {float_to_bfloat16(x)};
}

EFFDET_CUDA uint32_t bits_of(float x) { return std::bit_cast<uint32_t>(x); }

EFFDET_CUDA float fast_exp(float x) { return std::exp(x); }

}  // namespace effdet::kernels::cuda
