// Matrix multiplication on packed weights: the pointwise and dense convolutions.
#include "kernels/cpu/isa/gemm_step.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

constexpr int kVecs = kPanel / kLanes;  // vectors in a panel
constexpr bool kMasks = kVecs == 1;     // a part of a vector is stored like a whole one
// Rows of a register tile by the vectors that it is wide: its accumulators leave registers for the weights and one
// value of A. 0 where there is no such tile. kAllRows has whole tiles of each.
#if defined(__AVX512F__)
constexpr int kRows[] = {0, 16, 12, 8};
#elif defined(__AVX2__)
constexpr int kRows[] = {0, 0, 6, 4};
#else
constexpr int kRows[] = {0, 0, 0, 0, 2};
#endif
constexpr int kAllRows = 48;
// Tiles beside each other in a group of columns, where A is packed: rows of C may be pages apart, and a line alone
// would have to find its page each time.
constexpr int kPackedTiles = kVecs > 1 ? 4 : 1;
// Beyond this depth the sums pass through C, so that a block of A and a panel of B stay in the second-level cache. A
// constant: the order of additions must not depend on anything else.
constexpr int kDepth = 512;
/// Sums must not be rounded on the way.
template <typename Out>
constexpr bool kSumsInC = sizeof(Out) == sizeof(float);
/// Only what the caller reads is written from packed A, and that is float.
template <typename Out>
constexpr bool kPacks = sizeof(Out) == sizeof(float);

template <typename In, typename Out>
struct Tile {
  const In* a;
  ptrdiff_t lda, a_step;
  const In* b;
  ptrdiff_t b_panel;
  const float* bias;
  const Out* residual;
  Out* c;
  ptrdiff_t ldc;
  const float* partial;
  ptrdiff_t ld_partial;
  int columns;  // of C that exist, at most vecs * kLanes
  int k;
  Activation activation;
  bool first, last;  // of the slices of k
  bool past_cache;   // C is written in whole cache lines that go past the cache
};

/// Stores one row's vector v of columns [column, column + kLanes); unless the tile is whole, cut off at the matrix's
/// edge.
template <bool whole, typename In, typename Out>
EFFDET_INLINE void store_columns(const Tile<In, Out>& t, int row, int column, Vec v) {
  const int count = whole ? kLanes : min_of(kLanes, t.columns - column);
  Out* c = t.c + row * t.ldc + column;
  if (count == kLanes) {
    store(c, v);
  } else if (count > 0) {
    store_part(c, v, count);
  }
}

/// A row's vector of a matrix with `ld` values between rows that stands after C.
template <bool whole, typename In, typename Out, typename T>
EFFDET_INLINE Vec load_columns(const Tile<In, Out>& t, const T* c, ptrdiff_t ld, int row, int column) {
  const int count = whole ? kLanes : min_of(kLanes, t.columns - column);
  c += row * ld + column;
  return count == kLanes ? load(c) : count > 0 ? load_part(c, count) : Vec{};
}

template <int rows, int vecs, bool packed, bool whole, typename In, typename Out>
EFFDET_INLINE void finish_tile(const Tile<In, Out>& t, Vec (&sum)[rows][vecs]) {
  if (!t.last) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < vecs; ++j) store_columns<whole>(t, i, j * kLanes, sum[i][j]);
    return;
  }
#pragma GCC unroll 16
  for (int j = 0; j < vecs; ++j) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) sum[i][j] += packed ? splat(t.bias[i]) : load(t.bias + j * kLanes);
  }
  if (t.residual != nullptr) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < vecs; ++j) sum[i][j] += load_columns<whole>(t, t.residual, t.ldc, i, j * kLanes);
  }
  if (t.partial != nullptr) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < vecs; ++j) sum[i][j] += load_columns<whole>(t, t.partial, t.ld_partial, i, j * kLanes);
  }
  if constexpr (packed) {
    if (t.past_cache) {
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
        for (int j = 0; j < vecs; ++j) stream(t.c + i * t.ldc + j * kLanes, apply<Out>(t.activation, sum[i][j]));
      return;
    }
  }
  // One switch a tile, not one a vector.
  const auto write = [&](auto activation) __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < vecs; ++j)
        store_columns<whole>(t, i, j * kLanes, apply<Out>(decltype(activation)::value, sum[i][j]));
  };
  with_activation_of<Out, rows>(sum, t.activation, write);
}

/// A tile cut off at row `row` of t, where C has rows left of it.
template <typename In, typename Out>
EFFDET_INLINE Tile<In, Out> behind(Tile<In, Out> t, int row, bool packed) {
  t.a += row * (packed ? kPair<In> : t.lda);
  if (packed) t.bias += row;
  if (t.residual != nullptr) t.residual += row * t.ldc;
  if (t.partial != nullptr) t.partial += row * t.ld_partial;
  t.c += row * t.ldc;
  return t;
}

/// The same row by row, for tiles that are cut off: they are rare, and would otherwise be most of what there is to
/// compile.
template <int vecs, bool packed, typename In, typename Out>
__attribute__((noinline)) void finish_rows(const Tile<In, Out>& t, int rows, Vec (*sums)[vecs]) {
  for (int i = 0; i < rows; ++i) {
    Vec sum[1][vecs];
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j) sum[0][j] = sums[i][j];
    finish_tile<1, vecs, packed, false>(behind(t, i, packed), sum);
  }
}

template <int rows, int vecs, bool packed, typename In, typename Out>
void tile(const Tile<In, Out>& t) {
  using S = Step<In>;
  constexpr int kWidth = kPanel * kPair<In>;  // values of a panel that a step goes through
  Vec sum[rows][vecs];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j)
      sum[i][j] = !kSumsInC<Out> || t.first ? Vec{} : load_columns<false>(t, t.c, t.ldc, i, j * kLanes);
  const In *a = t.a, *b = t.b;
  const ptrdiff_t row_step = packed ? kPair<In> : t.lda;
  const auto step = [&](auto get) __attribute__((always_inline)) {
    typename S::Values weights[vecs];
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j)
      weights[j] = S::load_weights(b + (j / kVecs) * t.b_panel + (j % kVecs) * kLanes * kPair<In>);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const auto value = get(a + i * row_step);
#pragma GCC unroll 16
      for (int j = 0; j < vecs; ++j) S::add(sum[i][j], value, weights[j]);
    }
  };
  constexpr int kLast = kPair<In> - 1;  // values of k that a last step may not go through
  const ptrdiff_t a_step = packed ? kWidth : kPair<In> > 1 ? kPair<In> : t.a_step;
  for (int k = kLast; k < t.k; k += kPair<In>, b += kWidth, a += a_step)
    step([](const In* p) __attribute__((always_inline)) { return S::splat_value(p); });
  if constexpr (kLast > 0) {
    if (t.k % kPair<In> != 0) step([](const In* p) __attribute__((always_inline)) { return S::splat_last(p); });
  }
  constexpr int kTileRows = kRows[vecs];
  // What is left of a panel of packed rows is as frequent as whole tiles.
  if constexpr (rows == kTileRows || (packed && rows == kPanel % kTileRows)) {
    if constexpr (kMasks) {
      return finish_tile<rows, vecs, packed, false>(t, sum);
    } else if (t.columns == vecs * kLanes) {
      return finish_tile<rows, vecs, packed, true>(t, sum);
    }
  }
  Vec in_memory[rows][vecs];  // a copy: sum itself stays in registers
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j) in_memory[i][j] = sum[i][j];
  finish_rows<vecs, packed>(t, rows, in_memory);
}

/// `count` rows where a whole tile has more: by powers of two, so that code for a few heights does.
template <int vecs, int rows, bool packed, typename In, typename Out>
void last_rows(const Tile<In, Out>& t, int count) {
  if (count >= rows) {
    tile<rows, vecs, packed>(t);
    if constexpr (rows > 1) last_rows<vecs, rows / 2, packed>(behind(t, rows, packed), count - rows);
  } else if constexpr (rows > 1) {
    if (count > 0) last_rows<vecs, rows / 2, packed>(t, count);
  }
}

template <int vecs, bool packed, typename In, typename Out>
EFFDET_INLINE void tile_rows(const Tile<In, Out>& t, int count) {
  constexpr int rows = kRows[vecs], kNext = rows > 8 ? 8 : rows > 4 ? 4 : rows > 2 ? 2 : 1;
  if (count == rows) return tile<rows, vecs, packed>(t);
  last_rows<vecs, kNext, packed>(t, count);
}

/// Asks for the rows of A after the current ones: they are read in so many strands that the hardware does not see them
/// coming.
template <typename T>
EFFDET_INLINE void prefetch_rows(const T* a, ptrdiff_t lda, int rows, int k) {
  constexpr int kLine = 64 / sizeof(T);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < k; j += kLine) __builtin_prefetch(a + i * lda + j);
}

/// All rows of a group of columns and one slice of k, where A is packed: tiles stay within its panels.
template <int vecs, typename In, typename Out>
void packed_columns(const GemmBlock<In, Out>& g, Tile<In, Out> t) {
  constexpr int kColumns = vecs * kLanes, kTileRows = kRows[vecs];
  const Tile<In, Out> first = t;
  for (int row = 0, rows; row < g.m; row += rows) {
    rows = min_of(min_of(kTileRows, kPanel - row % kPanel), g.m - row);
    t.a = first.a + row / kPanel * g.lda + row % kPanel * kPair<In>;
    t.b = first.b;
    t.bias = g.bias + row;
    t.c = first.c + row * g.ldc;
    for (int column = 0; column < first.columns; column += kColumns) {
      t.columns = min_of(kColumns, first.columns - column);
      tile_rows<vecs, true>(t, rows);
      t.b += kColumns / kPanel * g.b_panel;
      t.c += kColumns;
    }
  }
}

/// All rows of one group of columns and one slice of k.
template <int vecs, typename In, typename Out>
void column_group(const GemmBlock<In, Out>& g, const Tile<In, Out>& first, bool fetch) {
  constexpr int rows = kRows[vecs];
  for (int row = 0; row < g.m; row += rows) {
    const Tile<In, Out> t = behind(first, row, false);
    if (fetch) prefetch_rows(t.a + rows * t.lda, t.lda, min_of(rows, g.m - row - rows), t.k);
    tile_rows<vecs, false>(t, min_of(rows, g.m - row));
  }
}

template <typename In, typename Out>
bool goes_past_cache(const GemmBlock<In, Out>& g, int column, int columns) {
  return g.a_packed && columns % kPanel == 0 && g.ldc % kLanes == 0 &&
         reinterpret_cast<uintptr_t>(g.c + column) % sizeof(Vec) == 0;
}

/// Calls f with the width of the next group's tiles, where `left` columns are left. Three or two vectors at a time keep
/// the multipliers busy, one alone does not. Packed weights are gone through once for each group, so that wide ones
/// save reading.
template <typename F>
EFFDET_INLINE void with_tile_width(int left, bool packed, F&& f) {
  const int vecs = (left + kLanes - 1) / kLanes;
  if constexpr (kVecs == 1) {
    if (vecs == 1) return f(Number<1>{});
    if (vecs == 3 || (packed && vecs > 3)) return f(Number<3>{});
    return f(Number<2>{});
  } else if constexpr (kVecs == 2) {
    if (vecs == 3 && !packed) return f(Number<3>{});  // half a panel goes with the one before it
  }
  if constexpr (kVecs > 1) f(Number<kVecs>{});
}

/// Which of the products that C is the sum of this one is. Those before the last only add up in C.
struct Turn {
  bool first = true, last = true;
};

/// fetch: A's rows are not in a cache near by.
template <typename In, typename Out>
void multiply(const GemmBlock<In, Out>& g, bool fetch, Turn turn = {}) {
  const int depth = kSumsInC<Out> ? kDepth * kPair<In> : max_of(g.k, 1);
  for (int k = 0; k < g.k; k += depth) {
    for (int column = 0, columns; column < g.n; column += columns)
      with_tile_width(
          g.n - column, g.a_packed, [&](auto width) __attribute__((always_inline)) {
            constexpr int vecs = decltype(width)::value;
            columns = min_of((g.a_packed ? kPackedTiles : 1) * vecs * kLanes, g.n - column);
            const Tile<In, Out> t{.a = g.a + (g.a_packed ? k * kPanel : k * g.a_step),
                                  .lda = g.lda,
                                  .a_step = g.a_step,
                                  .b = g.b + (column / kPanel) * g.b_panel + static_cast<ptrdiff_t>(k) * kPanel,
                                  .b_panel = g.b_panel,
                                  .bias = g.a_packed ? nullptr : g.bias + column,
                                  .residual = g.residual != nullptr ? g.residual + column : nullptr,
                                  .c = g.c + column,
                                  .ldc = g.ldc,
                                  .partial = g.partial != nullptr ? g.partial + column : nullptr,
                                  .ld_partial = g.ld_partial,
                                  .columns = columns,
                                  .k = min_of(depth, g.k - k),
                                  .activation = g.activation,
                                  .first = turn.first && k == 0,
                                  .last = turn.last && k + depth >= g.k,
                                  .past_cache = goes_past_cache(g, column, columns)};
            if constexpr (kPacks<Out>) {
              if (g.a_packed) return packed_columns<vecs>(g, t);
            }
            column_group<vecs>(g, t, fetch && column == 0 && g.a_step == 1);
          });
  }
}

#if !defined(__AVX512BF16__)
// Products of bfloat16 where the processor has none: blocks of both factors become floats. Room for them lies on the
// stack: for kWidePanels panels of B, or more of fewer values of k than kWideDepth, which stay in the second-level
// cache, and for kAllRows rows of A, or as many as stay in the first-level cache (kNearValues).
constexpr int kWideDepth = 2048, kWidePanels = 3, kWideColumns = kWidePanels * kPanel, kNearValues = 6144;
constexpr int kWideValues = kWideColumns * kWideDepth;

struct Wide {
  alignas(64) float a[kAllRows * wide_row(kWideDepth)];
  alignas(64) float b[kWideValues];
  alignas(64) float sums[kAllRows * kWideColumns];  // of the values of k before the last kWideDepth
};

/// A part of the product, of blocks that have been widened; what else it is made of is to be set.
template <typename Out>
GemmBlock<float, Out> wide_block(const float* a, const float* b, ptrdiff_t b_panel, Out* c, ptrdiff_t ldc, int m, int n,
                                 int k) {
  return {.a = a,
          .lda = wide_row(k),
          .a_step = 1,
          .b = b,
          .b_panel = b_panel,
          .bias = nullptr,
          .residual = nullptr,
          .c = c,
          .ldc = ldc,
          .m = m,
          .n = n,
          .k = k,
          .activation = Activation::kNone,
          .a_packed = false};
}

/// Columns [column, column + columns) of B, `depth` values of k from k on.
template <typename Out>
void widen_columns(const GemmBlock<Bf16, Out>& g, int column, int columns, int k, int depth, float* b) {
  const Bf16* panel = g.b + column / kPanel * g.b_panel + static_cast<ptrdiff_t>(k) * kPanel;
  for (int done = 0; done < columns; done += kPanel, panel += g.b_panel, b += wide_panel(depth))
    widen_panel(panel, b, depth);
}

/// Columns of B to widen at a time, where `left` are left: whole tiles, and no panel alone in the end.
int wide_columns(int left, int depth) {
  const int columns = min_of(left, kWideValues / wide_panel(depth) / kWidePanels * kWideColumns), rest = left - columns;
  return 0 < rest && rest <= kPanel && columns > kWideColumns ? columns - kPanel : columns;
}

/// The product of A's rows as they lie.
template <typename Out>
void multiply_widened(const GemmBlock<Bf16, Out>& g, Wide& wide) {
  const int most = min_of(g.k, kWideDepth), rows = max_of(kNearValues / wide_row(most) / kAllRows, 1) * kAllRows;
  for (int column = 0, columns; column < g.n; column += columns) {
    columns = g.wide_b != nullptr && g.k <= kWideDepth ? g.n : wide_columns(g.n - column, most);
    for (int row = 0; row < g.m; row += rows)
      for (int k = 0; k < g.k; k += kWideDepth) {
        const int m = min_of(rows, g.m - row), depth = min_of(kWideDepth, g.k - k);
        widen_rows(g.a + row * g.lda + k, g.lda, m, depth, wide.a);
        const bool widens_b = g.wide_b == nullptr;
        if (widens_b && (row == 0 || g.k > kWideDepth)) widen_columns(g, column, columns, k, depth, wide.b);
        const float* b =
            widens_b ? wide.b : g.wide_b + column / kPanel * g.b_panel + static_cast<ptrdiff_t>(k) * kPanel;
        const ptrdiff_t b_panel = widens_b ? wide_panel(depth) : g.b_panel;
        if (k + depth < g.k) {
          multiply(wide_block(wide.a, b, b_panel, wide.sums, kWideColumns, m, columns, depth), false, {k == 0, false});
          continue;
        }
        const ptrdiff_t at = row * g.ldc + column;
        GemmBlock<float, Out> last = wide_block(wide.a, b, b_panel, g.c + at, g.ldc, m, columns, depth);
        last.bias = g.bias + column;
        last.residual = g.residual != nullptr ? g.residual + at : nullptr;
        last.partial = k > 0 ? wide.sums : nullptr;
        last.ld_partial = kWideColumns;
        last.activation = g.activation;
        multiply(last, false);
      }
  }
}

/// The same where A is packed: sums pass through C.
void multiply_widened_panels(const GemmBlock<Bf16, float>& g, Wide& wide) {
  const int most = min_of(g.k, kWideDepth);
  const int together = kWideValues / wide_panel(most) / kWidePanels * kWideColumns;
  for (int column = 0; column < g.n; column += together)
    for (int k = 0; k < g.k; k += kWideDepth) {
      const int columns = min_of(together, g.n - column), depth = min_of(kWideDepth, g.k - k);
      widen_columns(g, column, columns, k, depth, wide.b);
      for (int row = 0; row < g.m; row += kPanel) {
        widen_panel(g.a + row / kPanel * g.lda + static_cast<ptrdiff_t>(k) * kPanel, wide.a, depth);
        GemmBlock<float, float> part = wide_block(wide.a, wide.b, wide_panel(depth), g.c + row * g.ldc + column, g.ldc,
                                                  min_of(kPanel, g.m - row), columns, depth);
        part.a_packed = true;
        part.bias = g.bias + row;
        part.activation = g.activation;
        multiply(part, false, {k == 0, k + depth == g.k});
      }
    }
}
#endif

}  // namespace

template <typename In, typename Out>
void gemm(const GemmBlock<In, Out>& g) {
#if !defined(__AVX512BF16__)
  if constexpr (kPair < In >> 1) {
    Wide wide;
    asm("" : "=m"(wide));  // for all the compiler knows, there is something in it
    if constexpr (kPacks<Out>) {
      if (g.a_packed) multiply_widened_panels(g, wide);
    }
    if (!g.a_packed) multiply_widened(g, wide);
  } else
#endif
    multiply(g, true);
  if (g.a_packed) _mm_sfence();  // streamed lines become visible before the task counts as done
}

#if EFFDET_OWN_FLOAT_MAPS
template void gemm(const GemmBlock<float, float>&);
#endif
template void gemm(const GemmBlock<float, Bf16>&);
template void gemm(const GemmBlock<Bf16, Bf16>&);
template void gemm(const GemmBlock<Bf16, float>&);

#if !defined(__AVX512BF16__)
void widen_panel(const Bf16* panel, float* wide, int k) {
  for (int i = 0; i < k; i += 2)
    for (int j = 0; j < kPanel; j += kLanes)
      for (int half = 0; half < 2; ++half)
        store(wide + (i + half) * kPanel + j, half_of(load_pairs(panel + i * kPanel + 2 * j), half));
}
#endif

void scale_panel(const float* b, const float* scale, float* y, int k) {
  for (int i = 0; i < k; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) store(y + i * kPanel + j * kLanes, load(b + i * kPanel + j * kLanes) * scale[i]);
}

void scale_panel(const Bf16* b, const float* scale, Bf16* y, int k) {
  for (int i = 0; i < k; i += 2)
    for (int j = 0; j < 2 * kPanel; j += 2 * kLanes) {
      const WordVec pairs = load_pairs(b + i * kPanel + j);
      const Vec even = half_of(pairs, 0) * scale[i];
      const Vec odd = half_of(pairs, 1) * (i + 1 < k ? scale[i + 1] : 0.0f);
      *reinterpret_cast<UnalignedWordVec*>(y + i * kPanel + j) =
          __builtin_convertvector(narrowed(even), WordVec) | __builtin_convertvector(narrowed(odd), WordVec) << 16;
    }
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
