// Functions of vectors, within a few units of the last place.
#pragma once

#include "kernels/cpu/isa/vec.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

/// e^x within 2e-7 of itself, for all x: 2^n e^r with |r| <= ln 2 / 2.
EFFDET_INLINE Vec vec_exp(Vec x) {
  constexpr float kRound = 12582912.0f;                                   // adding 1.5 * 2^23 rounds to an integer
  const Vec limited = vec_min(splat(89.0f), vec_max(x, splat(-104.0f)));  // where e^x is infinite, and 0
  const Vec shifted = limited * 1.44269504f + kRound;
  const Vec n = shifted - kRound;
  const Vec r = (limited - n * 0.693359375f) - n * -2.12194440e-4f;  // ln 2 in two parts: the first product is exact
  Vec p = splat(1.39504857e-3f);
  p = p * r + 8.36888794e-3f;
  p = p * r + 4.16662060e-2f;
  p = p * r + 1.66665182e-1f;
  p = p * r + 0.5f;
  const Vec power = (p * r) * r + r + 1.0f;
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(
      _mm512_maskz_scalef_ps(0xFFFF, reinterpret_cast<__m512>(power), reinterpret_cast<__m512>(n)));
#else
  // In two steps, since the ends of the range have exponents that one number does not hold.
  const IntVec exponent = reinterpret_cast<IntVec>(shifted) - reinterpret_cast<IntVec>(splat(kRound));
  const IntVec half = exponent >> 1, rest = exponent - half;
  return power * reinterpret_cast<Vec>((half + 127) << 23) * reinterpret_cast<Vec>((rest + 127) << 23);
#endif
}

EFFDET_INLINE Vec vec_sigmoid(Vec x) { return 1.0f / (vec_exp(-x) + 1.0f); }

EFFDET_INLINE Vec vec_abs(Vec x) { return reinterpret_cast<Vec>(reinterpret_cast<IntVec>(x) & 0x7FFFFFFF); }
/// The magnitude of one, the sign of another.
EFFDET_INLINE Vec with_sign(Vec magnitude, Vec sign) {
  return reinterpret_cast<Vec>((reinterpret_cast<IntVec>(magnitude) & 0x7FFFFFFF) |
                               (reinterpret_cast<IntVec>(sign) & static_cast<int32_t>(0x80000000)));
}

/// Around 0 by its series, since 1 - 2 / (e^2x + 1) has no digits there.
EFFDET_INLINE Vec vec_tanh(Vec x) {
  const Vec size = vec_abs(x), z = x * x;
  Vec p = splat(-5.66078024e-3f);
  p = p * z + 2.06019990e-2f;
  p = p * z + -5.37292287e-2f;
  p = p * z + 1.33313283e-1f;
  p = p * z + -3.33332777e-1f;
  const Vec near = (p * z) * x + x;
  const Vec far = 1.0f - 2.0f / (vec_exp(size + size) + 1.0f);
  return with_sign(size < 0.625f ? near : far, x);
}

EFFDET_INLINE Vec vec_erf(Vec x) {
  const Vec size = vec_min(splat(4.0f), vec_abs(x)), z = x * x;  // from 4 on it is 1
  Vec p = splat(8.05462405e-5f);
  p = p * z + -8.06510448e-4f;
  p = p * z + 5.19393664e-3f;
  p = p * z + -2.68564411e-2f;
  p = p * z + 1.12836406e-1f;
  p = p * z + -3.76126289e-1f;
  p = p * z + 1.12837923f;
  // ln(1 - erf(x)) is smooth.
  Vec q = splat(1.97182628e-4f);
  q = q * size + -3.05561582e-3f;
  q = q * size + 2.22771168e-2f;
  q = q * size + -1.04037419e-1f;
  q = q * size + -6.37059689e-1f;
  q = q * size + -1.12774956f;
  q = q * size + -1.77487236e-4f;
  return size < 0.95f ? p * x : with_sign(1.0f - vec_exp(q), x);
}

/// e^x - 1, around 0 by its series.
EFFDET_INLINE Vec vec_exp_less_one(Vec x) {
  Vec p = splat(1.99928952e-4f);
  p = p * x + 1.39974570e-3f;
  p = p * x + 8.33307300e-3f;
  p = p * x + 4.16653156e-2f;
  p = p * x + 1.66666687e-1f;
  p = p * x + 0.5f;
  return vec_abs(x) < 0.5f ? (p * x) * x + x : vec_exp(x) - 1.0f;
}

EFFDET_INLINE Vec vec_sqrt(Vec x) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(_mm512_maskz_sqrt_ps(0xFFFF, reinterpret_cast<__m512>(x)));
#elif defined(__AVX2__)
  return reinterpret_cast<Vec>(_mm256_sqrt_ps(reinterpret_cast<__m256>(x)));
#else
  return reinterpret_cast<Vec>(_mm_sqrt_ps(reinterpret_cast<__m128>(x)));
#endif
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
