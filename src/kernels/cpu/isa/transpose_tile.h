// Columns of a tile of 16 by 16 words, by vectors of AVX-512.
#pragma once

#include "kernels/cpu/isa/vec.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

/// Columns 4 q + j of a tile as out[j].
EFFDET_INLINE void transpose_quarters(const float (*tile)[kLanes], int q, Vec (&out)[4]) {
  Vec in[4];  // of the rows i, i + 4, i + 8 and i + 12, quarter q
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const auto quarter = [&](int row) __attribute__((always_inline)) { return _mm_load_ps(tile[row] + 4 * q); };
    __m512 v = _mm512_castps128_ps512(quarter(i));
    v = _mm512_insertf32x4(v, quarter(i + 4), 1);
    v = _mm512_insertf32x4(v, quarter(i + 8), 2);
    in[i] = reinterpret_cast<Vec>(_mm512_insertf32x4(v, quarter(i + 12), 3));
  }
  const auto low = [](Vec a, Vec b) __attribute__((always_inline)) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
  };
  const auto high = [](Vec a, Vec b) __attribute__((always_inline)) {
    return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  };
  const auto low_pairs = [](Vec a, Vec b) __attribute__((always_inline)) {
    return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
  };
  const auto high_pairs = [](Vec a, Vec b) __attribute__((always_inline)) {
    return __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  };
  const Vec low01 = low(in[0], in[1]), low23 = low(in[2], in[3]);
  const Vec high01 = high(in[0], in[1]), high23 = high(in[2], in[3]);
  out[0] = low_pairs(low01, low23);
  out[1] = high_pairs(low01, low23);
  out[2] = low_pairs(high01, high23);
  out[3] = high_pairs(high01, high23);
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
