// One step of a matrix product by type: what a tile loads of its factors, and how it multiplies them. Included only by
// gemm.cc.
#pragma once

#include "kernels/cpu/isa/kernels.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

typedef WordVec UnalignedWordVec __attribute__((aligned(2), may_alias));

EFFDET_INLINE WordVec load_pairs(const Bf16* p) { return *reinterpret_cast<const UnalignedWordVec*>(p); }
/// The first or the second values of pairs. By two shifts: a mask would take a register, and tiles have none left.
EFFDET_INLINE Vec half_of(WordVec pairs, int half) {
  if (half == 1) {
    pairs >>= 16;
    asm("" : "+v"(pairs));  // or the compiler makes a mask of it
  }
  return reinterpret_cast<Vec>(pairs << 16);
}

/// A step goes through kPair<In> values of k in kParts products. B is of type In, A of type Factor.
template <typename In>
struct Step;

template <>
struct Step<float> {
  typedef float Factor;
  typedef Vec Values;
  static constexpr int kParts = 1;
  EFFDET_INLINE Values splat_value(const float* a) { return splat(*a); }
  EFFDET_INLINE Values load_weights(const float* b, int) { return load(b); }
  EFFDET_INLINE void add(Vec& sum, Values a, Values b) { sum += a * b; }
};

#if defined(__AVX512BF16__)
template <>
struct Step<Bf16> {
  typedef Bf16 Factor;
  typedef WordVec Values;
  typedef uint32_t UnalignedWord __attribute__((aligned(2), may_alias));
  static constexpr int kParts = 1;
  EFFDET_INLINE Values splat_value(const Bf16* a) { return WordVec{} + *reinterpret_cast<const UnalignedWord*>(a); }
  /// Where k is odd: what stands after the last value may be no number.
  EFFDET_INLINE Values splat_last(const Bf16* a) { return WordVec{} + a->bits; }
  EFFDET_INLINE Values load_weights(const Bf16* b, int) { return load_pairs(b); }
  EFFDET_INLINE void add(Vec& sum, Values a, Values b) {
    sum = reinterpret_cast<Vec>(
        _mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b)));
  }
};
#else
/// A is widened before, once for all columns of B; B here, once for all rows of a tile.
template <>
struct Step<Bf16> {
  typedef float Factor;
  typedef Vec Values;
  static constexpr int kParts = kPair<Bf16>;
  EFFDET_INLINE Values splat_value(const float* a) { return splat(*a); }
  EFFDET_INLINE Values load_weights(const Bf16* b, int part) { return half_of(load_pairs(b), part); }
  EFFDET_INLINE void add(Vec& sum, Values a, Values b) { sum += a * b; }
};
#endif

template <typename In>
using Factor = typename Step<In>::Factor;
/// Whether A is widened.
template <typename In>
constexpr bool kWidens = sizeof(In) < sizeof(Factor<In>);

/// Floats between widened rows of k values: whole vectors, and more than a power of two, so that rows do not fall into
/// one set of the cache.
constexpr int wide_row(int k) { return (k + 2 * kLanes - 1) / kLanes * kLanes; }

#if !defined(__AVX512BF16__)
/// Rows of A as floats; zeros after the last of k.
__attribute__((noinline)) static void widen_rows(const Bf16* a, ptrdiff_t lda, int rows, int k, float* wide) {
  for (int i = 0; i < rows; ++i, a += lda, wide += wide_row(k)) {
    int j = 0;
    for (; j + kLanes <= k; j += kLanes) store(wide + j, load(a + j));
    store(wide + j, j < k ? load_part(a + j, k - j) : Vec{});
  }
}

/// A packed panel [k / 2][kPanel][2] of A as floats [k][kPanel].
__attribute__((noinline)) static void widen_panel(const Bf16* a, int k, float* wide) {
  for (int i = 0; i < k; i += 2)
    for (int j = 0; j < kPanel; j += kLanes)
      for (int half = 0; half < 2; ++half)
        store(wide + (i + half) * kPanel + j, half_of(load_pairs(a + i * kPanel + 2 * j), half));
}
#endif

}  // namespace effdet::kernels::cpu::EFFDET_ISA
