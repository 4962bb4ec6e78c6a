// Element types of maps in kernels, and what they become: every sum is of float32.
#pragma once

#include <cstdint>

#include "base/activation.h"
#include "base/bf16.h"
#include "kernels/cuda/block.h"

namespace effdet::kernels::cuda {

/// IEEE's binary16.
struct Fp16 {
  uint16_t bits;
};

EFFDET_CUDA float to_float(float x) { return x; }
/// Rounded to nearest, ties to even.
template <typename T>
EFFDET_CUDA T from_float(float x);
template <>
EFFDET_CUDA float from_float<float>(float x) {
  return x;
}

}  // namespace effdet::kernels::cuda

// Of the 16-bit types, and fast_exp().
#ifdef __CUDACC__
#include "kernels/cuda/device_number.cuh"
#else
#include "kernels/cuda/host_number.h"
#endif

namespace effdet::kernels::cuda {

/// clamp(x, 0, 6); NaN stays.
EFFDET_CUDA float clamp6(float x) { return x < 0 ? 0 : x > 6 ? 6 : x; }

/// What base/activation.cc computes.
EFFDET_CUDA float activated(Activation activation, float x) {
  switch (activation) {
    case Activation::kSwish:
      return x / (1 + fast_exp(-x));
    case Activation::kRelu:
      return x < 0 ? 0 : x;
    case Activation::kRelu6:
      return clamp6(x);
    case Activation::kSigmoid:
      return 1 / (1 + fast_exp(-x));
    case Activation::kHardSwish:
      return x * clamp6(x + 3) / 6;
    case Activation::kHardSigmoid:
      return clamp6(x + 3) / 6;
    case Activation::kLeakyRelu:
      return x < 0 ? kLeakySlope * x : x;
    case Activation::kMish: {
      if (x > 20) return x;
      const float e = fast_exp(x), n = e * (e + 2);  // tanh(log(1 + e))
      return x * n / (n + 2);
    }
    default:
      return x;
  }
}

}  // namespace effdet::kernels::cuda
