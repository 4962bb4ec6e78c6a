// One step of a product of codes by int8 weights: a word of k in each lane, by the instructions that there are.
// Included only by code_gemm.cc.
#pragma once

#include "kernels/cpu/isa/vec.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
/// A word is a quad of bytes.
inline constexpr bool kPairs = false;
EFFDET_INLINE void add_products(IntVec& sum, IntVec pixels, IntVec weights) {
#if defined(__AVX512F__)
  sum = reinterpret_cast<IntVec>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(pixels),
                                                     reinterpret_cast<__m512i>(weights)));
#else
  sum = reinterpret_cast<IntVec>(_mm256_dpbusd_avx_epi32(
      reinterpret_cast<__m256i>(sum), reinterpret_cast<__m256i>(pixels), reinterpret_cast<__m256i>(weights)));
#endif
}
#else
/// A word is a pair of int16: products of bytes as they are (pmaddubsw) saturate, and to divide the weights so that
/// they do not takes more instructions than this.
inline constexpr bool kPairs = true;
EFFDET_INLINE void add_products(IntVec& sum, IntVec pixels, IntVec weights) {
#if defined(__AVX512F__)
  sum += reinterpret_cast<IntVec>(
      _mm512_madd_epi16(reinterpret_cast<__m512i>(pixels), reinterpret_cast<__m512i>(weights)));
#elif defined(__AVX2__)
  sum += reinterpret_cast<IntVec>(
      _mm256_madd_epi16(reinterpret_cast<__m256i>(pixels), reinterpret_cast<__m256i>(weights)));
#else
  sum +=
      reinterpret_cast<IntVec>(_mm_madd_epi16(reinterpret_cast<__m128i>(pixels), reinterpret_cast<__m128i>(weights)));
#endif
}
#endif

/// Values of k in a word.
inline constexpr int kWordValues = kPairs ? 2 : 4;

typedef uint32_t UnalignedScalarWord __attribute__((aligned(1), may_alias));
EFFDET_INLINE IntVec splat_word(const char* p) {
  const auto word = static_cast<int32_t>(*reinterpret_cast<const UnalignedScalarWord*>(p));
#if defined(__AVX512F__)
  return reinterpret_cast<IntVec>(_mm512_set1_epi32(word));
#elif defined(__AVX2__)
  return reinterpret_cast<IntVec>(_mm256_set1_epi32(word));
#else
  return reinterpret_cast<IntVec>(_mm_set1_epi32(word));
#endif
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
