// One step of a matrix product by type: what a tile loads of its factors, and how it multiplies them. Included only by
// gemm.cc.
#pragma once

#include "kernels/cpu/isa/kernels.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

typedef WordVec UnalignedWordVec __attribute__((aligned(2), may_alias));

EFFDET_INLINE WordVec load_pairs(const Bf16* p) { return *reinterpret_cast<const UnalignedWordVec*>(p); }
/// The first or the second values of pairs.
EFFDET_INLINE Vec half_of(WordVec pairs, int half) {
  return reinterpret_cast<Vec>(half == 0 ? pairs << 16 : pairs & 0xffff0000u);
}

/// A step goes through kPair<In> values of k.
template <typename In>
struct Step;

template <>
struct Step<float> {
  typedef Vec Values;
  EFFDET_INLINE Values splat_value(const float* a) { return splat(*a); }
  EFFDET_INLINE Values load_weights(const float* b) { return load(b); }
  EFFDET_INLINE void add(Vec& sum, Values a, Values b) { sum += a * b; }
};

#if defined(__AVX512BF16__)
template <>
struct Step<Bf16> {
  typedef WordVec Values;
  typedef uint32_t UnalignedWord __attribute__((aligned(2), may_alias));
  EFFDET_INLINE Values splat_value(const Bf16* a) { return WordVec{} + *reinterpret_cast<const UnalignedWord*>(a); }
  /// Where k is odd: what stands after the last value may be no number.
  EFFDET_INLINE Values splat_last(const Bf16* a) { return WordVec{} + a->bits; }
  EFFDET_INLINE Values load_weights(const Bf16* b) { return load_pairs(b); }
  EFFDET_INLINE void add(Vec& sum, Values a, Values b) {
    sum = reinterpret_cast<Vec>(
        _mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b)));
  }
};
#else
/// Floats between widened rows of k values: whole vectors, and more than a power of two, so that rows do not fall into
/// one set of the cache.
constexpr int wide_row(int k) { return (k + 2 * kLanes - 1) / kLanes * kLanes; }
/// Floats that a widened panel takes, which ends with a whole pair.
constexpr int wide_panel(int k) { return (k + 1) / 2 * 2 * kPanel; }

/// Rows of A as floats.
__attribute__((noinline)) static void widen_rows(const Bf16* a, ptrdiff_t lda, int rows, int k, float* wide) {
  for (int i = 0; i < rows; ++i, a += lda, wide += wide_row(k)) {
    int j = 0;
    for (; j + 2 * kLanes <= k; j += 2 * kLanes) {
      store(wide + j, load(a + j));
      store(wide + j + kLanes, load(a + j + kLanes));
    }
    for (; j + kLanes <= k; j += kLanes) store(wide + j, load(a + j));
    if (j < k) store(wide + j, load_part(a + j, k - j));
  }
}

#endif

}  // namespace effdet::kernels::cpu::EFFDET_ISA
