// Sums to 8-bit codes, four vectors at a time: what ops::Requantizer computes for one number, bit for bit.
#pragma once

#include "kernels/cpu/isa/vec.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

typedef int16_t ShortVec __attribute__((vector_size(kLanes * 4)));
typedef uint16_t UnsignedShortVec __attribute__((vector_size(kLanes * 4)));
/// The codes of four vectors of sums.
typedef uint8_t CodeVec __attribute__((vector_size(kLanes * 4)));
typedef CodeVec UnalignedCodeVec __attribute__((aligned(1), may_alias));
/// The codes of one vector of sums.
typedef uint8_t FewCodes __attribute__((vector_size(kLanes)));
typedef FewCodes UnalignedFewCodes __attribute__((aligned(1), may_alias));

#if defined(__AVX512F__)
#define EFFDET_INT_OP(op, a, b) _mm512_##op(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b))
#elif defined(__AVX2__)
#define EFFDET_INT_OP(op, a, b) _mm256_##op(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b))
#else
#define EFFDET_INT_OP(op, a, b) _mm_##op(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b))
#endif

EFFDET_INLINE ShortVec max_of(ShortVec a, ShortVec b) {
  return reinterpret_cast<ShortVec>(EFFDET_INT_OP(max_epi16, a, b));
}
/// a + b and a - b, saturated.
EFFDET_INLINE ShortVec add_saturated(ShortVec a, ShortVec b) {
  return reinterpret_cast<ShortVec>(EFFDET_INT_OP(adds_epi16, a, b));
}
EFFDET_INLINE ShortVec subtract_saturated(ShortVec a, ShortVec b) {
  return reinterpret_cast<ShortVec>(EFFDET_INT_OP(subs_epi16, a, b));
}
/// (a * b) / 2^15, rounded.
EFFDET_INLINE ShortVec multiply_high(ShortVec a, ShortVec b) {
#if defined(__AVX2__)
  return reinterpret_cast<ShortVec>(EFFDET_INT_OP(mulhrs_epi16, a, b));
#else
  const auto high = reinterpret_cast<UnsignedShortVec>(EFFDET_INT_OP(mulhi_epi16, a, b));
  const auto low = reinterpret_cast<UnsignedShortVec>(EFFDET_INT_OP(mullo_epi16, a, b));
  return reinterpret_cast<ShortVec>((high << 1) + (((low >> 14) + 1) >> 1));
#endif
}

/// Saturated. The values of four vectors a, b, c, d that are packed into (a, b), (c, d) and then into one are not in
/// order: in_order() puts them there, in one step for both.
EFFDET_INLINE ShortVec packed(IntVec a, IntVec b) {
  return reinterpret_cast<ShortVec>(EFFDET_INT_OP(packs_epi32, a, b));
}
EFFDET_INLINE CodeVec packed(ShortVec a, ShortVec b) {
  return reinterpret_cast<CodeVec>(EFFDET_INT_OP(packus_epi16, a, b));
}
EFFDET_INLINE CodeVec in_order(CodeVec v) {
#if defined(__AVX512F__)
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return reinterpret_cast<CodeVec>(_mm512_maskz_permutexvar_epi32(0xFFFF, order, reinterpret_cast<__m512i>(v)));
#elif defined(__AVX2__)
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return reinterpret_cast<CodeVec>(_mm256_permutevar8x32_epi32(reinterpret_cast<__m256i>(v), order));
#else
  return v;
#endif
}

EFFDET_INLINE CodeVec limited(CodeVec v, CodeVec lowest, CodeVec highest) {
  return reinterpret_cast<CodeVec>(EFFDET_INT_OP(min_epu8, EFFDET_INT_OP(max_epu8, v, lowest), highest));
}

EFFDET_INLINE ShortVec splat_short(int16_t value) { return ShortVec{} + value; }

/// Rounded half to even. Values beyond 32 bits give -2^31.
EFFDET_INLINE IntVec nearest(Vec v) {
#if defined(__AVX512F__)
  return reinterpret_cast<IntVec>(_mm512_maskz_cvtps_epi32(0xFFFF, reinterpret_cast<__m512>(v)));
#elif defined(__AVX2__)
  return reinterpret_cast<IntVec>(_mm256_cvtps_epi32(reinterpret_cast<__m256>(v)));
#else
  return reinterpret_cast<IntVec>(_mm_cvtps_epi32(reinterpret_cast<__m128>(v)));
#endif
}

/// a * b, rounded: what is added to it is not part of the same instruction.
EFFDET_INLINE Vec product(Vec a, Vec b) {
  Vec v = a * b;
#if defined(__AVX512F__)
  asm("" : "+v"(v));
#else
  asm("" : "+x"(v));
#endif
  return v;
}
EFFDET_INLINE Vec product(IntVec a, Vec b) { return product(__builtin_convertvector(a, Vec), b); }

EFFDET_INLINE IntVec widened(FewCodes codes) {
#if defined(__AVX512F__)
  return reinterpret_cast<IntVec>(_mm512_maskz_cvtepu8_epi32(0xFFFF, reinterpret_cast<__m128i>(codes)));
#elif defined(__AVX2__)
  return reinterpret_cast<IntVec>(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(reinterpret_cast<int64_t>(codes))));
#else
  return __builtin_convertvector(codes, IntVec);
#endif
}
EFFDET_INLINE IntVec load_codes(const uint8_t* p) { return widened(*reinterpret_cast<const UnalignedFewCodes*>(p)); }
/// The first count lanes (0 < count < kLanes); the others are 0. Memory after them is not touched.
EFFDET_INLINE IntVec load_codes_part(const uint8_t* p, int count) {
#if defined(__AVX512F__)
  return widened(reinterpret_cast<FewCodes>(_mm_maskz_loadu_epi8(first_lanes(count), p)));
#else
  FewCodes codes{};
  for (int i = 0; i < count; ++i) codes[i] = p[i];
  return widened(codes);
#endif
}

EFFDET_INLINE void store(uint8_t* p, CodeVec codes) { *reinterpret_cast<UnalignedCodeVec*>(p) = codes; }
EFFDET_INLINE void store_part(uint8_t* p, CodeVec codes, int count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_epi8(p, (uint64_t{1} << count) - 1, reinterpret_cast<__m512i>(codes));
#else
  for (int i = 0; i < count; ++i) p[i] = codes[i];
#endif
}

/// Sixteen codes of four vectors of sums, from 16 * part on: those of a panel's channels, for one pixel.
typedef uint8_t PanelCodes __attribute__((vector_size(kPanel)));
typedef PanelCodes UnalignedPanelCodes __attribute__((aligned(1), may_alias));
template <int part>
EFFDET_INLINE PanelCodes panel_of(CodeVec codes) {
#if defined(__AVX512F__)
  return reinterpret_cast<PanelCodes>(_mm512_maskz_extracti32x4_epi32(0xF, reinterpret_cast<__m512i>(codes), part));
#elif defined(__AVX2__)
  return reinterpret_cast<PanelCodes>(_mm256_extracti128_si256(reinterpret_cast<__m256i>(codes), part));
#else
  static_assert(part == 0);
  return codes;
#endif
}
EFFDET_INLINE void store_panel(uint8_t* p, PanelCodes codes, int count) {
  if (count >= kPanel) {
    *reinterpret_cast<UnalignedPanelCodes*>(p) = codes;
    return;
  }
#if defined(__AVX512F__)
  _mm_mask_storeu_epi8(p, first_lanes(count), reinterpret_cast<__m128i>(codes));
#else
  uint64_t halves[2];
  __builtin_memcpy(halves, &codes, sizeof halves);
  if (count >= 8) {
    __builtin_memcpy(p, halves, 8);
    p += 8;
    count -= 8;
    halves[0] = halves[1];
  }
  for (; count > 0; --count, halves[0] >>= 8) *p++ = static_cast<uint8_t>(halves[0]);
#endif
}

/// A Requantization in registers. bounded: sums are far from what 32 bits hold, as those of a layer of integers are
/// (ops::Requantizer::fits()); others may be anything.
template <bool swish, bool bounded>
struct Requantize {
  Activation activation;
  Vec inverse_scale;
  ShortVec zero_point;
  CodeVec lowest, highest;
};
template <bool bounded>
struct Requantize<true, bounded> {
#if defined(__AVX512F__)
  __m512i base[2], slope[2];
  ShortVec shift;  // of each value: one step, where a count for all of them takes two
#else
  const Requantization& tables;
  int shift;
#endif
};

/// The lines that magnitudes are on.
struct SwishLines {
  ShortVec base, slope;
};

#if defined(__AVX512F__)
/// Calls f with r as a Requantize.
template <bool bounded, typename F>
EFFDET_INLINE void with_swish(const Requantization& r, F&& f) {
  Requantize<true, bounded> swish;
  const __m512i even = _mm512_set_epi16(62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 28, 26, 24,
                                        22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i odd = _mm512_add_epi16(even, _mm512_set1_epi16(1));
  for (int i = 0; i < 2; ++i) {
    const __m512i low = _mm512_loadu_si512(r.lines + 32 * i), high = _mm512_loadu_si512(r.lines + 32 * i + 16);
    swish.base[i] = _mm512_permutex2var_epi16(low, even, high);
    swish.slope[i] = _mm512_permutex2var_epi16(low, odd, high);
  }
  swish.shift = splat_short(static_cast<int16_t>(r.shift));
  asm("" : "+v"(swish.shift));  // or the compiler makes one count of it
  f(swish);
}
template <bool bounded>
EFFDET_INLINE void lines_of(const Requantize<true, bounded>& r, const ShortVec (&magnitude)[2],
                            SwishLines (&lines)[2]) {
  for (int h = 0; h < 2; ++h) {
    const auto segment = reinterpret_cast<__m512i>(magnitude[h] >> Requantization::kSegmentBits);
    lines[h] = {reinterpret_cast<ShortVec>(_mm512_permutex2var_epi16(r.base[0], segment, r.base[1])),
                reinterpret_cast<ShortVec>(_mm512_permutex2var_epi16(r.slope[0], segment, r.slope[1]))};
  }
}
#else
template <bool bounded, typename F>
EFFDET_INLINE void with_swish(const Requantization& r, F&& f) {
  f(Requantize<true, bounded>{r, r.shift});
}
#if defined(__AVX2__)
/// By shuffles of bytes: gathers are as slow as one load after the other, or slower.
template <bool bounded>
EFFDET_INLINE void lines_of(const Requantize<true, bounded>& r, const ShortVec (&magnitude)[2],
                            SwishLines (&lines)[2]) {
  constexpr int kBits = Requantization::kSegmentBits, kRows = Requantization::kLines / 16;
  __m256i at[kRows];  // in each row: negative, for which a shuffle gives 0, where the segment is below it
  at[0] = EFFDET_INT_OP(packus_epi16, magnitude[0] >> kBits, magnitude[1] >> kBits);
#pragma GCC unroll 4
  for (int i = 1; i < kRows; ++i) at[i] = _mm256_sub_epi8(at[0], _mm256_set1_epi8(static_cast<char>(16 * i)));
  const auto look_up = [&](const uint8_t(&table)[kRows][16]) __attribute__((always_inline)) {
    __m256i bytes{};
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const __m128i row = _mm_load_si128(reinterpret_cast<const __m128i*>(table[i]));
      bytes ^= _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(row), at[i]);
    }
    return bytes;
  };
  const Requantization::Bytes& tables = r.tables.bytes;
  const __m256i base_low = look_up(tables.base_low), base_high = look_up(tables.base_high);
  const __m256i slope_low = look_up(tables.slope_low);
  const __m256i slope_high = _mm256_cmpgt_epi8(_mm256_set1_epi8(tables.falling), at[0]);
  lines[0] = {reinterpret_cast<ShortVec>(_mm256_unpacklo_epi8(base_low, base_high)),
              reinterpret_cast<ShortVec>(_mm256_unpacklo_epi8(slope_low, slope_high))};
  lines[1] = {reinterpret_cast<ShortVec>(_mm256_unpackhi_epi8(base_low, base_high)),
              reinterpret_cast<ShortVec>(_mm256_unpackhi_epi8(slope_low, slope_high))};
}
#else
/// One load for base and slope of each, even values apart from odd ones.
template <bool bounded>
EFFDET_INLINE void lines_of(const Requantize<true, bounded>& r, const ShortVec (&magnitude)[2],
                            SwishLines (&lines)[2]) {
  for (int h = 0; h < 2; ++h) {
    alignas(16) uint16_t segment[8];
    *reinterpret_cast<ShortVec*>(segment) = magnitude[h] >> Requantization::kSegmentBits;
    const auto load_line = [&](int i) __attribute__((always_inline)) {
      return _mm_loadu_si32(r.tables.lines + segment[i]);
    };
    const auto load_lines = [&](int first) __attribute__((always_inline)) {
      return _mm_unpacklo_epi64(_mm_unpacklo_epi32(load_line(first), load_line(first + 2)),
                                _mm_unpacklo_epi32(load_line(first + 4), load_line(first + 6)));
    };
    const __m128i even = load_lines(0), odd = load_lines(1), upper = _mm_set1_epi32(static_cast<int>(0xFFFF0000));
    lines[h] = {reinterpret_cast<ShortVec>(_mm_or_si128(_mm_andnot_si128(upper, even), _mm_slli_epi32(odd, 16))),
                reinterpret_cast<ShortVec>(_mm_or_si128(_mm_srli_epi32(even, 16), _mm_and_si128(upper, odd)))};
  }
}
#endif
#endif

/// Calls f with r as a Requantize.
template <bool bounded = true, typename F>
EFFDET_INLINE void with_requantization(const Requantization& r, F&& f) {
  if (r.activation == Activation::kSwish) return with_swish<bounded>(r, f);
  f(Requantize<false, bounded>{r.activation, splat(r.inverse_scale), splat_short(r.zero_point), CodeVec{} + r.lowest,
                               CodeVec{} + r.highest});
}

/// Sums as integers; beyond 16 bits they need not be right, but stay beyond.
template <bool bounded>
EFFDET_INLINE IntVec steps_of(Vec sums) {
  if constexpr (bounded) return nearest(sums);
  constexpr float kLimit = 65536;
  const Vec numbers = sums == sums ? sums : Vec{};  // NaN becomes the zero point
  return nearest(vec_min(splat(kLimit), vec_max(numbers, splat(-kLimit))));
}

/// The codes of sums, each of which is a product() or the sum of several, as packed() leaves them.
template <bool bounded>
EFFDET_INLINE CodeVec packed_codes(const Requantize<true, bounded>& r, const Vec (&sums)[4]) {
  ShortVec x[2], magnitude[2], y[2];
  SwishLines lines[2];
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    x[h] = packed(steps_of<bounded>(sums[2 * h]), steps_of<bounded>(sums[2 * h + 1]));
    magnitude[h] = max_of(x[h], subtract_saturated(ShortVec{}, x[h]));
  }
  lines_of(r, magnitude, lines);
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    // In odd segments the highest bit of what is within them takes the sign's place: their lines begin at their end.
    const ShortVec within = magnitude[h] << (15 - Requantization::kSegmentBits);
    const ShortVec below = lines[h].base + multiply_high(within, lines[h].slope);
    y[h] = add_saturated(max_of(x[h], ShortVec{}), below) >> r.shift;
  }
  return packed(y[0], y[1]);
}

/// Activations that are more than limits; each operation rounds, as those of base/activation.cc do.
EFFDET_INLINE Vec curved(Activation activation, Vec x) {
  const auto shifted = [&] { return vec_min(splat(6.0f), vec_max(x + 3.0f, Vec{})); };
  switch (activation) {
    case Activation::kHardSwish:
      return x * shifted() / 6.0f;
    case Activation::kHardSigmoid:
      return shifted() / 6.0f;
    case Activation::kLeakyRelu:
      return x < Vec{} ? x * kLeakySlope : x;
    default:
      return x;
  }
}

template <bool bounded>
EFFDET_INLINE CodeVec packed_codes(const Requantize<false, bounded>& r, const Vec (&sums)[4]) {
  ShortVec y[2];
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h)
    y[h] = add_saturated(packed(steps_of<bounded>(curved(r.activation, sums[2 * h]) * r.inverse_scale),
                                steps_of<bounded>(curved(r.activation, sums[2 * h + 1]) * r.inverse_scale)),
                         r.zero_point);
  return limited(packed(y[0], y[1]), r.lowest, r.highest);
}

/// The same in the order of the sums.
template <bool swish, bool bounded>
EFFDET_INLINE CodeVec codes_of(const Requantize<swish, bounded>& r, const Vec (&sums)[4]) {
  return in_order(packed_codes(r, sums));
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
