// What follows the sums of codes by int8 weights: they lie in memory, panel by panel, [row][kPanel].
#pragma once

#include "kernels/cpu/code_products.h"
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/requantize.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

/// Vectors in a panel, and rows of a panel that become codes together: rows of sums are read in multiples of these.
inline constexpr int kPanelVecs = kPanel / kLanes, kRowsTogether = 4 / kPanelVecs;

typedef IntVec UnalignedIntVec __attribute__((aligned(4), may_alias));
EFFDET_INLINE IntVec load(const int32_t* p) { return *reinterpret_cast<const UnalignedIntVec*>(p); }
EFFDET_INLINE void store(int32_t* p, IntVec v) { *reinterpret_cast<UnalignedIntVec*>(p) = v; }

/// Where a panel's sums belong: `rows` rows of C from `row` on, and columns from `column` on.
struct SumsPlace {
  int row, rows, column;
};

/// Whether sums are whole, or of products alone: then CodeBlock::start is added to them here.
enum class SumsOf { kAll, kProducts };

/// What is still to be added to the sums of columns from `column` on, or of one of them.
template <SumsOf sums, typename Out>
EFFDET_INLINE IntVec missing(const CodeBlock<Out>& g, int column) {
  return sums == SumsOf::kProducts ? load(g.start + column) : IntVec{};
}
template <SumsOf sums, typename Out>
EFFDET_INLINE IntVec missing_in_row(const CodeBlock<Out>& g, int column) {
  return sums == SumsOf::kProducts ? IntVec{} + g.start[column] : IntVec{};
}

/// Stores the panels of the first of kRowsTogether rows, as many as there are.
template <int part = 0>
EFFDET_INLINE void store_rows(uint8_t* c, ptrdiff_t ldc, CodeVec codes, int rows, int columns) {
  if constexpr (part < kRowsTogether) {
    if (part >= rows) return;
    store_panel(c + part * ldc, panel_of<part>(codes), columns);
    store_rows<part + 1>(c, ldc, codes, rows, columns);
  }
}

template <SumsOf of = SumsOf::kAll, bool swish>
EFFDET_INLINE void finish(const CodeBlock<uint8_t>& g, const Requantize<swish, true>& r, const int32_t* sums,
                          const SumsPlace& place) {
  const int columns = min_of(kPanel, g.n - place.column);
  Vec scale[kPanelVecs];
  IntVec start[kPanelVecs];
  for (int j = 0; j < kPanelVecs; ++j) {
    scale[j] = load(g.scale + place.column + j * kLanes);
    start[j] = missing<of>(g, place.column + j * kLanes);
  }
  const ptrdiff_t first = place.row * g.ldc + place.column;
  for (int i = 0; i < place.rows; i += kRowsTogether) {
    Vec v[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      v[j] = product(load(sums + i * kPanel + j * kLanes) + start[j % kPanelVecs], scale[j % kPanelVecs]);
    if (g.residual != nullptr) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const int row = min_of(i + j / kPanelVecs, place.rows - 1), at = j % kPanelVecs * kLanes, left = columns - at;
        const uint8_t* p = g.residual + first + row * g.ldc + at;
        const IntVec codes = left >= kLanes ? load_codes(p) : left > 0 ? load_codes_part(p, left) : IntVec{};
        v[j] += product(codes - g.residual_zero_point, splat(g.residual_scale));
      }
    }
    store_rows(g.c + first + i * g.ldc, g.ldc, codes_of(r, v), place.rows - i, columns);
  }
}

template <SumsOf of, typename Out>
__attribute__((noinline)) void finish(const CodeBlock<Out>& g, const int32_t* sums, const SumsPlace& place) {
  const int columns = min_of(kPanel, g.n - place.column);
  const ptrdiff_t first = place.row * g.ldc + place.column;
  with_activation(
      g.activation, [&](auto activation) __attribute__((always_inline)) {
        for (int j = 0; j < kPanelVecs && j * kLanes < columns; ++j) {
          const int lanes = min_of(kLanes, columns - j * kLanes);
          const Vec scale = load(g.scale + place.column + j * kLanes);
          const IntVec start = missing<of>(g, place.column + j * kLanes);
          for (int i = 0; i < place.rows; ++i) {
            const ptrdiff_t at = first + i * g.ldc + j * kLanes;
            Vec v = product(load(sums + i * kPanel + j * kLanes) + start, scale);
            if (g.residual != nullptr) v += lanes == kLanes ? load(g.residual + at) : load_part(g.residual + at, lanes);
            v = apply<Out>(decltype(activation)::value, v);
            lanes == kLanes ? store(g.c + at, v) : store_part(g.c + at, v, lanes);
          }
        }
      });
}

/// A row of C's columns: one channel's values of neighbouring pixels, `count` of a vector.
EFFDET_INLINE void store_pixels(float* c, Vec v, int count) {
  if (count >= kLanes && reinterpret_cast<uintptr_t>(c) % sizeof(Vec) == 0) {
    stream(c, v);
  } else if (count >= kLanes) {
    store(c, v);
  } else if (count > 0) {
    store_part(c, v, count);
  }
}

/// The same for sums [panels of pixels][channel][kPanel], `panel` values between panels: `rows` channels from
/// place.column on, and pixels from place.row on.
template <SumsOf of>
__attribute__((noinline)) void finish_columns(const CodeBlock<float>& g, const int32_t* sums, ptrdiff_t panel,
                                              const SumsPlace& place) {
  const int pixels = g.m - place.row, channels = min_of(place.rows, g.n - place.column);
  with_activation(
      g.activation, [&](auto activation) __attribute__((always_inline)) {
        for (int i = 0; i < channels; ++i) {
          const Vec scale = splat(g.scale[place.column + i]);
          const IntVec start = missing_in_row<of>(g, place.column + i);
          float* c = g.c + (place.column + i) * g.ldc + place.row;
          for (int done = 0; done < pixels; done += kLanes, c += kLanes) {
            const IntVec sum = load(sums + done / kPanel * panel + i * kPanel + done % kPanel) + start;
            store_pixels(c, apply<float>(decltype(activation)::value, product(sum, scale)), pixels - done);
          }
        }
      });
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
