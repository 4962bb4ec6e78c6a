// Vectors of 8-bit codes, and the 32-bit sums that are made of them. Included only by the files in isa/.
//
// A vector of codes, a unit, is widened to four vectors of 32-bit lanes, its quarters, by interleaving twice: a lane of
// a quarter is not the channel at that place, but packed() puts all of them back.
#pragma once

#include "kernels/cpu/isa/requantize.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

// A register of integers of any size, and instructions on them that all widths have: EFFDET_INT(add_epi32, a, b).
#if defined(__AVX512F__)
typedef __m512i Register;
#define EFFDET_INT(op, ...) _mm512_##op(__VA_ARGS__)
#elif defined(__AVX2__)
typedef __m256i Register;
#define EFFDET_INT(op, ...) _mm256_##op(__VA_ARGS__)
#else
typedef __m128i Register;
#define EFFDET_INT(op, ...) _mm_##op(__VA_ARGS__)
#endif
typedef Register UnalignedRegister __attribute__((aligned(1), may_alias));

/// Four taps for vpdpbusd, two for pmaddwd.
#if defined(__AVX512VNNI__)
inline constexpr CodeTaps kCodeTaps{.taps = 4, .lanes = kLanes, .has_narrow = true};
#elif defined(__AVXVNNI__)
inline constexpr CodeTaps kCodeTaps{.taps = 4, .lanes = kLanes, .has_narrow = false};
#else
inline constexpr CodeTaps kCodeTaps{.taps = 2, .lanes = kLanes, .has_narrow = false};
#endif

/// Codes in a register.
inline constexpr int kUnit = 4 * kLanes;

EFFDET_INLINE Register splat_code(int code) { return EFFDET_INT(set1_epi8, static_cast<char>(code)); }

/// kUnit bytes from p on.
EFFDET_INLINE Register load_register(const void* p) { return *static_cast<const UnalignedRegister*>(p); }
EFFDET_INLINE void store_register(void* p, Register v) { *static_cast<UnalignedRegister*>(p) = v; }

/// The first count codes (0 < count <= kUnit); the others are 0. Memory after them is not touched.
EFFDET_INLINE Register load_unit(const uint8_t* p, int count) {
  if (count == kUnit) return load_register(p);
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_epi8((uint64_t{1} << count) - 1, p);
#else
#if defined(__AVX2__)
  if (count == 16) return _mm256_zextsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#endif
  uint8_t codes[kUnit] = {};
  int i = 0;
  for (; i + 8 <= count; i += 8) __builtin_memcpy(codes + i, p + i, 8);
  for (; i < count; ++i) codes[i] = p[i];
  return load_register(codes);
#endif
}
EFFDET_INLINE void store_unit(uint8_t* p, CodeVec codes, int count) {
  if (count == kUnit) return store(p, codes);
#if defined(__AVX512F__)
  store_part(p, codes, count);
#else
#if defined(__AVX2__)
  if (count == 16)
    return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(reinterpret_cast<Register>(codes)));
#endif
  uint8_t part[kUnit];
  store(part, codes);
  int i = 0;
  for (; i + 8 <= count; i += 8) __builtin_memcpy(p + i, part + i, 8);
  for (; i < count; ++i) p[i] = part[i];
#endif
}

/// Calls f(offset, codes) over count codes, whole units first.
template <typename F>
EFFDET_INLINE void for_units(int64_t count, F&& f) {
  int64_t i = 0;
  for (; i + kUnit <= count; i += kUnit) f(i, kUnit);
  if (i < count) f(i, static_cast<int>(count - i));
}

/// The halves of a unit as 16-bit numbers.
EFFDET_INLINE void widen_halves(Register codes, ShortVec (&half)[2]) {
  half[0] = reinterpret_cast<ShortVec>(EFFDET_INT(unpacklo_epi8, codes, Register{}));
  half[1] = reinterpret_cast<ShortVec>(EFFDET_INT(unpackhi_epi8, codes, Register{}));
}
/// The quarters of a unit, from its halves.
EFFDET_INLINE void widen_quarters(const ShortVec (&half)[2], IntVec (&quarter)[4]) {
  for (int h = 0; h < 2; ++h) {
    const auto words = reinterpret_cast<Register>(half[h]);
    quarter[2 * h] = reinterpret_cast<IntVec>(EFFDET_INT(unpacklo_epi16, words, Register{}));
    quarter[2 * h + 1] = reinterpret_cast<IntVec>(EFFDET_INT(unpackhi_epi16, words, Register{}));
  }
}
EFFDET_INLINE void widen_quarters(Register codes, IntVec (&quarter)[4]) {
  ShortVec half[2];
  widen_halves(codes, half);
  widen_quarters(half, quarter);
}

/// Codes that, widened to quarters, are neighbouring vectors: the inverse of in_order().
EFFDET_INLINE Register by_quarters(Register codes) {
#if defined(__AVX512F__)
  return reinterpret_cast<Register>(in_order(reinterpret_cast<CodeVec>(codes)));  // its own inverse
#elif defined(__AVX2__)
  return _mm256_permutevar8x32_epi32(codes, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
#else
  return codes;
#endif
}

EFFDET_INLINE Vec to_floats(IntVec v) { return __builtin_convertvector(v, Vec); }

}  // namespace effdet::kernels::cpu::EFFDET_ISA
