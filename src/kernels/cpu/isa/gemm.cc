// Matrix multiplication on packed weights: the pointwise and dense convolutions.
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/vec.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

// Rows of a register tile by the panels that it is wide: its accumulators leave registers for the weights and one value
// of A.
#if defined(__AVX512F__)
constexpr int kRows[] = {0, 16, 12, 8};
#elif defined(__AVX2__)
constexpr int kRows[] = {0, 6};
#else
constexpr int kRows[] = {0, 2};
#endif
constexpr int kMaxPanels = sizeof(kRows) / sizeof(kRows[0]) - 1;
constexpr int kVecs = kPanel / kLanes;  // vectors in a panel
// Beyond this depth the sums pass through C, so that a block of A and a panel of B stay in the second-level cache. A
// constant: the order of additions must not depend on anything else.
constexpr int kDepth = 512;

struct Tile {
  const float* a;
  ptrdiff_t lda, a_step;
  const float* b;
  ptrdiff_t b_panel;
  const float* bias;
  const float* residual;
  float* c;
  ptrdiff_t ldc;
  int columns;  // of C that exist, at most panels * kPanel
  int k;
  Activation activation;
  bool first, last;  // of the slices of k
  bool past_cache;   // C is written in whole cache lines that go past the cache
};

/// Stores one row's vector v of columns [column, column + kLanes), cut off at the matrix's edge.
EFFDET_INLINE void store_columns(const Tile& t, int row, int column, Vec v) {
  const int count = min_of(kLanes, t.columns - column);
  float* c = t.c + row * t.ldc + column;
  if (count == kLanes) {
    store(c, v);
  } else if (count > 0) {
    store_part(c, v, count);
  }
}

EFFDET_INLINE Vec load_columns(const Tile& t, const float* c, int row, int column) {
  const int count = min_of(kLanes, t.columns - column);
  c += row * t.ldc + column;
  return count == kLanes ? load(c) : count > 0 ? load_part(c, count) : Vec{};
}

/// Between the rows of A, and between its steps of k, where A is packed.
constexpr int kPackedRow = 1, kPackedStep = kPanel;

template <int rows, int panels, bool packed>
EFFDET_INLINE void finish_tile(const Tile& t, Vec (&sum)[rows][panels * kVecs]) {
  if (!t.last) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < panels * kVecs; ++j) store_columns(t, i, j * kLanes, sum[i][j]);
    return;
  }
#pragma GCC unroll 16
  for (int j = 0; j < panels * kVecs; ++j) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) sum[i][j] += packed ? splat(t.bias[i]) : load(t.bias + j * kLanes);
  }
  if (t.residual != nullptr) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < panels * kVecs; ++j) sum[i][j] += load_columns(t, t.residual, i, j * kLanes);
  }
  if (packed && t.past_cache) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < panels * kVecs; ++j) stream(t.c + i * t.ldc + j * kLanes, apply(t.activation, sum[i][j]));
    return;
  }
  // One switch a tile, not one a vector.
  const auto write = [&](auto activation) __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < panels * kVecs; ++j)
        store_columns(t, i, j * kLanes, apply(decltype(activation)::value, sum[i][j]));
  };
  with_activation(t.activation, write);
}

template <int rows, int panels, bool packed>
void tile(const Tile& t) {
  Vec sum[rows][panels * kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < panels * kVecs; ++j) sum[i][j] = t.first ? Vec{} : load_columns(t, t.c, i, j * kLanes);
  const float* b = t.b;
  const float* a = t.a;
  for (int k = 0; k < t.k; ++k, b += kPanel, a += packed ? kPackedStep : t.a_step) {
    Vec weights[panels * kVecs];
#pragma GCC unroll 16
    for (int j = 0; j < panels * kVecs; ++j) weights[j] = load(b + (j / kVecs) * t.b_panel + (j % kVecs) * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const Vec value = splat(a[i * (packed ? kPackedRow : t.lda)]);
#pragma GCC unroll 16
      for (int j = 0; j < panels * kVecs; ++j) sum[i][j] += value * weights[j];
    }
  }
  finish_tile<rows, panels, packed>(t, sum);
}

template <int panels, int rows, bool packed>
void tile_rows(const Tile& t, int count) {
  if (count == rows) return tile<rows, panels, packed>(t);
  if constexpr (rows > 1) tile_rows<panels, rows - 1, packed>(t, count);
}

/// Asks for the rows of A behind the current ones: they are read in so many strands that the hardware does not see them
/// coming.
EFFDET_INLINE void prefetch_rows(const float* a, ptrdiff_t lda, int rows, int k) {
  constexpr int kLine = 16;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < k; j += kLine) __builtin_prefetch(a + i * lda + j);
}

/// All rows of one group of columns and one slice of k, where A is packed: tiles stay within its panels.
template <int panels>
void packed_column_group(const GemmBlock& g, Tile t) {
  constexpr int rows = kRows[panels];
  const float* a = t.a;
  float* c = t.c;
  for (int row = 0, count; row < g.m; row += count) {
    count = min_of(min_of(rows, kPanel - row % kPanel), g.m - row);
    t.a = a + row / kPanel * g.lda + row % kPanel * kPackedRow;
    t.bias = g.bias + row;
    t.c = c + row * g.ldc;
    tile_rows<panels, rows, true>(t, count);
  }
}

/// All rows of one group of columns and one slice of k.
template <int panels>
void column_group(const GemmBlock& g, Tile t, bool fetch) {
  if (g.a_packed) return packed_column_group<panels>(g, t);
  constexpr int rows = kRows[panels];
  const float* a = t.a;
  float* c = t.c;
  const float* residual = t.residual;
  for (int row = 0; row < g.m; row += rows) {
    t.a = a + row * g.lda;
    t.c = c + row * g.ldc;
    t.residual = residual != nullptr ? residual + row * g.ldc : nullptr;
    if (fetch) prefetch_rows(t.a + rows * g.lda, g.lda, min_of(rows, g.m - row - rows), t.k);
    tile_rows<panels, rows, false>(t, min_of(rows, g.m - row));
  }
}

/// Panels of the next group of columns: three or two at a time keep the multipliers busy, one alone does not. Packed
/// weights are gone through once for each group, so that wide ones save reading.
EFFDET_INLINE int group_panels(int left, bool packed) {
  if (kMaxPanels < 3) return 1;
  if (packed) return min_of(left, 3);
  return left == 1 ? 1 : left == 3 ? 3 : 2;
}

bool goes_past_cache(const GemmBlock& g, int column, int columns) {
  return g.a_packed && columns % kPanel == 0 && g.ldc % kLanes == 0 &&
         reinterpret_cast<uintptr_t>(g.c + column) % sizeof(Vec) == 0;
}

void column_groups(const GemmBlock& g, int panels, const Tile& t, bool fetch) {
  if (panels == 1) return column_group<1>(g, t, fetch);
  if constexpr (kMaxPanels >= 3) {
    if (panels == 2) return column_group<2>(g, t, fetch);
    column_group<3>(g, t, fetch);
  }
}

}  // namespace

void gemm(const GemmBlock& g) {
  for (int k = 0; k < g.k; k += kDepth) {
    int column = 0;
    while (column < g.n) {
      const int panels = group_panels((g.n - column + kPanel - 1) / kPanel, g.a_packed);
      const int columns = min_of(panels * kPanel, g.n - column);
      const Tile t{.a = g.a + k * (g.a_packed ? kPackedStep : g.a_step),
                   .lda = g.lda,
                   .a_step = g.a_step,
                   .b = g.b + (column / kPanel) * g.b_panel + static_cast<ptrdiff_t>(k) * kPanel,
                   .b_panel = g.b_panel,
                   .bias = g.a_packed ? nullptr : g.bias + column,
                   .residual = g.residual != nullptr ? g.residual + column : nullptr,
                   .c = g.c + column,
                   .ldc = g.ldc,
                   .columns = columns,
                   .k = min_of(kDepth, g.k - k),
                   .activation = g.activation,
                   .first = k == 0,
                   .last = k + kDepth >= g.k,
                   .past_cache = goes_past_cache(g, column, columns)};
      column_groups(g, panels, t, column == 0 && g.a_step == 1);
      column += panels * kPanel;
    }
  }
  if (g.a_packed) _mm_sfence();  // streamed lines become visible before the task counts as done
}

void scale_panel(const float* b, const float* scale, float* y, int k) {
  for (int i = 0; i < k; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) store(y + i * kPanel + j * kLanes, load(b + i * kPanel + j * kLanes) * scale[i]);
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
