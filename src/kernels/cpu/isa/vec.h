// Vectors of floats as wide as the instruction set that this file is compiled for. Included only by the files in isa/.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/micro_kernels.h"

#if defined(__AMX_BF16__)
#define EFFDET_ISA amx_bf16
#elif defined(__AVX512BF16__)
#define EFFDET_ISA avx512_bf16
#elif defined(__AVX512VNNI__)
#define EFFDET_ISA avx512_vnni
#elif defined(__AVX512F__)
#define EFFDET_ISA avx512
#elif defined(__AVXVNNI__)
#define EFFDET_ISA avx_vnni
#elif defined(__AVX2__)
#define EFFDET_ISA avx2
#else
#define EFFDET_ISA sse2
#endif

namespace effdet::kernels::cpu::EFFDET_ISA {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

// GCC's vector extension: arithmetic operators work lane by lane; a * b + c becomes one FMA where the target has it.
typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef int32_t IntVec __attribute__((vector_size(kLanes * 4)));
typedef Vec UnalignedVec __attribute__((aligned(4), may_alias));

#define EFFDET_INLINE static inline __attribute__((always_inline))

EFFDET_INLINE Vec load(const float* p) { return *reinterpret_cast<const UnalignedVec*>(p); }
EFFDET_INLINE void store(float* p, Vec v) { *reinterpret_cast<UnalignedVec*>(p) = v; }
/// Stores past the cache; p must be aligned to a vector.
EFFDET_INLINE void stream(float* p, Vec v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, reinterpret_cast<__m512>(v));
#elif defined(__AVX2__)
  _mm256_stream_ps(p, reinterpret_cast<__m256>(v));
#else
  _mm_stream_ps(p, reinterpret_cast<__m128>(v));
#endif
}
/// Not Vec{} + value: that adds, since 0 + -0 is 0, and a product would wait for it at every step.
EFFDET_INLINE Vec splat(float value) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(_mm512_set1_ps(value));
#elif defined(__AVX2__)
  return reinterpret_cast<Vec>(_mm256_set1_ps(value));
#else
  return reinterpret_cast<Vec>(_mm_set1_ps(value));
#endif
}

#if defined(__AVX512F__)
EFFDET_INLINE __mmask16 first_lanes(int count) { return static_cast<__mmask16>((1u << count) - 1); }
#elif defined(__AVX2__)
EFFDET_INLINE __m256i first_lanes(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

/// The first count lanes (0 < count < kLanes); the others are 0. Memory after them is not touched.
EFFDET_INLINE Vec load_part(const float* p, int count) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(_mm512_maskz_loadu_ps(first_lanes(count), p));
#elif defined(__AVX2__)
  return reinterpret_cast<Vec>(_mm256_maskload_ps(p, first_lanes(count)));
#else
  Vec v{};
  for (int i = 0; i < count; ++i) v[i] = p[i];
  return v;
#endif
}
EFFDET_INLINE void store_part(float* p, Vec v, int count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, first_lanes(count), reinterpret_cast<__m512>(v));
#elif defined(__AVX2__)
  _mm256_maskstore_ps(p, first_lanes(count), reinterpret_cast<__m256>(v));
#else
  for (int i = 0; i < count; ++i) p[i] = v[i];
#endif
}

// bf16 in memory, floats in registers.
typedef uint32_t WordVec __attribute__((vector_size(kLanes * 4)));
typedef uint16_t HalfVec __attribute__((vector_size(kLanes * 2)));
typedef HalfVec UnalignedHalfVec __attribute__((aligned(2), may_alias));

EFFDET_INLINE Vec widened(HalfVec halves) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  // The compiler would convert by halves.
  const auto words = reinterpret_cast<WordVec>(_mm256_cvtepu16_epi32(reinterpret_cast<__m128i>(halves)));
#else
  const auto words = __builtin_convertvector(halves, WordVec);
#endif
  return reinterpret_cast<Vec>(words << 16);
}
/// Rounded to the nearest, ties to even.
EFFDET_INLINE HalfVec narrowed(Vec v) {
#if defined(__AVX512BF16__)
  return reinterpret_cast<HalfVec>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(v)));
#else
  const WordVec bits = reinterpret_cast<WordVec>(v);
  // A NaN becomes all ones: rounding might carry it into a number.
  const WordVec rounded = (bits + 0x7fff + ((bits >> 16) & 1)) | reinterpret_cast<WordVec>(v != v);
#if defined(__AVX2__) && !defined(__AVX512F__)
  const auto words = reinterpret_cast<__m256i>(rounded >> 16);
  return reinterpret_cast<HalfVec>(_mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
#else
  return __builtin_convertvector(rounded >> 16, HalfVec);
#endif
#endif
}

EFFDET_INLINE Vec load(const Bf16* p) {
#if defined(__AVX512F__)
  // One instruction beside the load, which repeats the halves: each goes to the upper half of its word.
  const __m512i order = _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0,
                                         3, 0, 2, 0, 1, 0, 0, 0);
  const __m512i twice = _mm512_maskz_broadcast_i64x4(0xFF, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return reinterpret_cast<Vec>(_mm512_maskz_permutexvar_epi16(0xAAAAAAAA, order, twice));
#else
  return widened(*reinterpret_cast<const UnalignedHalfVec*>(p));
#endif
}
EFFDET_INLINE void store(Bf16* p, Vec v) { *reinterpret_cast<UnalignedHalfVec*>(p) = narrowed(v); }
EFFDET_INLINE Vec load_part(const Bf16* p, int count) {
#if defined(__AVX512F__)
  return widened(reinterpret_cast<HalfVec>(_mm256_maskz_loadu_epi16(first_lanes(count), p)));
#else
  HalfVec halves{};
  for (int i = 0; i < count; ++i) halves[i] = p[i].bits;
  return widened(halves);
#endif
}
EFFDET_INLINE void store_part(Bf16* p, Vec v, int count) {
#if defined(__AVX512F__)
  _mm256_mask_storeu_epi16(p, first_lanes(count), reinterpret_cast<__m256i>(narrowed(v)));
#else
  const HalfVec halves = narrowed(v);
  for (int i = 0; i < count; ++i) p[i].bits = halves[i];
#endif
}

// By intrinsics: the compiler makes a comparison and a blend of a < b ? a : b.
#if defined(__AVX512F__)
#define EFFDET_VEC_OP(op, a, b) \
  reinterpret_cast<Vec>(_mm512_maskz_##op##_ps(0xFFFF, reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)))
#elif defined(__AVX2__)
#define EFFDET_VEC_OP(op, a, b) \
  reinterpret_cast<Vec>(_mm256_##op##_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b)))
#else
#define EFFDET_VEC_OP(op, a, b) \
  reinterpret_cast<Vec>(_mm_##op##_ps(reinterpret_cast<__m128>(a), reinterpret_cast<__m128>(b)))
#endif
/// NaN in b gives NaN; NaN in a gives b.
EFFDET_INLINE Vec vec_min(Vec a, Vec b) { return EFFDET_VEC_OP(min, a, b); }
/// NaN in a gives NaN, so that broken numbers stay visible through relu.
EFFDET_INLINE Vec vec_max(Vec a, Vec b) { return EFFDET_VEC_OP(max, b, a); }
#undef EFFDET_VEC_OP
/// NaN in either gives NaN.
EFFDET_INLINE Vec vec_max_of_both(Vec a, Vec b) { return b == b ? vec_max(a, b) : b; }

/// 2^f for |f| <= 1/2 within 1.7e-7: least squares on Chebyshev nodes, exact at 0.
EFFDET_INLINE Vec power_of_two_fraction(Vec f) {
  Vec p = splat(1.32186746e-3f);
  p = p * f + 9.67170298e-3f;
  p = p * f + 5.55089302e-2f;
  p = p * f + 2.40222380e-1f;
  p = p * f + 6.93146884e-1f;
  return p * f + 1.0f;
}

/// e^-x, relative error below 5e-7 for |x| < 20 and 4e-6 beyond (2^t for t = -x / ln 2, which is rounded).
EFFDET_INLINE Vec vec_exp_minus(Vec x) {
#if defined(__AVX512F__)
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  const __m512 t = reinterpret_cast<__m512>(x * -1.44269504f);
  const __m512 n = _mm512_maskz_roundscale_ps(0xFFFF, t, kNearest);
  // t - n, and 0 where t is infinite, so that the power is infinite or 0.
  const Vec p = power_of_two_fraction(reinterpret_cast<Vec>(_mm512_maskz_reduce_ps(0xFFFF, t, kNearest)));
  return reinterpret_cast<Vec>(_mm512_maskz_scalef_ps(0xFFFF, reinterpret_cast<__m512>(p), n));
#else
  // Adding 1.5 * 2^23 rounds to an integer, which then sits in the low bits of the mantissa; with 127 more they are the
  // exponent of 2^n. Beyond the limits the power is infinite, or 0.
  constexpr float kRound = 12582912.0f + 127.0f;
  const Vec limited = vec_min(splat(88.0f), vec_max(x, splat(-88.8f)));
  const Vec shifted = limited * -1.44269504f + kRound;
  const Vec f = limited * -1.44269504f - (shifted - kRound);
  // A product, not a sum of exponents: where 1 is added next, both are one instruction.
  return power_of_two_fraction(f) * reinterpret_cast<Vec>(reinterpret_cast<IntVec>(shifted) << 23);
#endif
}

#if defined(__AVX512F__)
/// e^x, relative error below 2e-4: enough for bf16, which rounds by 4e-3.
EFFDET_INLINE Vec vec_exp_coarse(Vec x) {
  const __m512 t = reinterpret_cast<__m512>(x * 1.44269504f);
  // t less the integer below it, which scalef takes of t itself.
  const Vec f = reinterpret_cast<Vec>(_mm512_maskz_reduce_ps(0xFFFF, t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
  // 2^f for 0 <= f <= 1 within 7.5e-05: least squares, weighted until the largest errors are equal.
  Vec p = splat(7.80245215e-02f);
  p = p * f + 2.26067156e-01f;
  p = p * f + 6.95833564e-01f;
  p = p * f + 9.99925196e-01f;
  return reinterpret_cast<Vec>(_mm512_maskz_scalef_ps(0xFFFF, reinterpret_cast<__m512>(p), t));
}
#endif

/// x / (e^-x + 1) and 1 / (e^-x + 1), as exact as a result of type T can show.
template <typename T>
EFFDET_INLINE Vec over_exp_plus_one(Vec numerator, Vec x) {
#if defined(__AVX512F__)
  if (sizeof(T) == 2) {
    const Vec divisor = vec_exp_coarse(-x) + 1.0f;
    return numerator * reinterpret_cast<Vec>(_mm512_maskz_rcp14_ps(0xFFFF, reinterpret_cast<__m512>(divisor)));
  }
#endif
  return numerator / (vec_exp_minus(x) + 1.0f);
}

/// x tanh(ln(1 + e^x)): tanh(ln(a)) = (a^2 - 1) / (a^2 + 1), and with a = 1 + e^x nothing cancels in e^x (e^x + 2).
EFFDET_INLINE Vec mish(Vec x) {
  const Vec e =
      vec_exp_minus(vec_max(-x, splat(-20.0f)));  // from there on the quotient is 1, and its terms stay numbers
  const Vec n = e * (e + 2.0f);
  return x * (n / (n + 2.0f));
}

/// T is the type that the result is stored in.
template <typename T>
EFFDET_INLINE Vec apply(Activation activation, Vec x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kSwish:
      return over_exp_plus_one<T>(x, x);
    case Activation::kRelu:
      return vec_max(x, Vec{});
    case Activation::kRelu6:
      return vec_min(splat(6.0f), vec_max(x, Vec{}));
    case Activation::kSigmoid:
      return over_exp_plus_one<T>(splat(1.0f), x);
    case Activation::kHardSwish:
      return x * (vec_min(splat(6.0f), vec_max(x + 3.0f, Vec{})) * (1.0f / 6.0f));
    case Activation::kHardSigmoid:
      return vec_min(splat(6.0f), vec_max(x + 3.0f, Vec{})) * (1.0f / 6.0f);
    case Activation::kLeakyRelu:
      return x < Vec{} ? x * kLeakySlope : x;
    case Activation::kMish:
      return mish(x);
    case Activation::kElu:  // no fused operator has these
    case Activation::kTanh:
      break;
  }
  return x;
}

EFFDET_INLINE constexpr int min_of(int a, int b) { return a < b ? a : b; }
EFFDET_INLINE constexpr int max_of(int a, int b) { return a < b ? b : a; }

}  // namespace effdet::kernels::cpu::EFFDET_ISA
