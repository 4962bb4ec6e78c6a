// Products of 8-bit codes by packed int8 weights: tiles of exact sums in registers, over all of k at once. They pass
// through memory, where vectors take them up again for what follows.
#include "kernels/cpu/isa/code_gemm_step.h"
#include "kernels/cpu/isa/code_sums.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

// Panels beside each other in a tile, at most, and rows of a tile by its panels. With C's rows and columns exchanged,
// rows are weights, and tiles of one height do: they divide a panel.
#if defined(__AVX512F__)
constexpr int kMostPanels = 3;
constexpr int kTileRows[] = {0, 16, 12, 8}, kTileChannels = 8;
#elif defined(__AVX2__)
constexpr int kMostPanels = 1;
constexpr int kTileRows[] = {0, 6}, kTileChannels = 4;
#else
constexpr int kMostPanels = 1;
constexpr int kTileRows[] = {0, 2}, kTileChannels = 2;
#endif
// Where a panel is several vectors, a last one that is at most half full takes half of them.
constexpr bool kHalves = kPanelVecs > 1;
// Tiles beside each other in a group of pixels, where C's columns are written: rows of them may be pages apart.
constexpr int kTogether = kMostPanels > 1 ? 4 : 8;

/// Sums of a tile: [panel][row][kPanel].
constexpr int kSumRows = 16, kSumPanel = kSumRows * kPanel;
struct CodeSums {
  alignas(64) int32_t values[kMostPanels * kSumPanel];
};

/// The factor whose words are broadcast, `row` bytes between its rows, or a panel of weights; the one that lies in
/// vectors, `panel` words between panels; and the sums to begin with, a vector or one for each row.
struct CodeTile {
  const char* rows;
  ptrdiff_t row;
  const uint32_t* vectors;
  ptrdiff_t panel;
  int words;
  const int32_t* start;
  // What the next tiles will read, to ask for on the way: `fetch_step` bytes at each word.
  const char* fetch = nullptr;
  ptrdiff_t fetch_step = 0;
};

/// columns: the rows are weights, and the vectors pixels.
template <int rows, int vecs, bool columns>
__attribute__((noinline)) void sum_tile(const CodeTile& t, CodeSums& sums) {
  IntVec sum[rows][vecs];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j)
      sum[i][j] = columns ? splat_word(reinterpret_cast<const char*>(t.start + i)) : load(t.start + j * kLanes);
  const char* row = t.rows;
  const auto* vectors = reinterpret_cast<const int32_t*>(t.vectors);
  constexpr ptrdiff_t word = columns ? kPanel * 4 : 4;
  const char* fetch = t.fetch;
  for (int k = 0; k < t.words; ++k, row += word, vectors += kPanel) {
    if constexpr (!columns) {
      __builtin_prefetch(fetch, 0, 2);
      fetch += t.fetch_step;
    }
    IntVec values[vecs];
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j) values[j] = load(vectors + (j / kPanelVecs) * t.panel + (j % kPanelVecs) * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const IntVec value = splat_word(row + i * (columns ? 4 : t.row));
#pragma GCC unroll 16
      for (int j = 0; j < vecs; ++j) add_products(sum[i][j], columns ? values[j] : value, columns ? value : values[j]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j)
      store(sums.values + (j / kPanelVecs) * kSumPanel + i * kPanel + (j % kPanelVecs) * kLanes, sum[i][j]);
}

/// A tile of at most `count` rows: whole, or by powers of two, so that code for a few heights does. Returns its height.
template <int vecs, int rows>
EFFDET_INLINE int sum_rows(const CodeTile& t, int count, CodeSums& sums) {
  if (count >= rows) {
    sum_tile<rows, vecs, false>(t, sums);
    return rows;
  }
  if constexpr (rows > 1) {
    constexpr int kNext = rows > 8 ? 8 : rows > 4 ? 4 : rows > 2 ? 2 : 1;
    return sum_rows<vecs, kNext>(t, count, sums);
  }
  return 1;
}

__attribute__((noinline)) void widen_codes(const uint8_t* x, int16_t* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = x[i];
}

/// Calls f with the panels of the next tile, where `left` are left.
template <typename F>
EFFDET_INLINE void with_panels(int left, F&& f) {
  if constexpr (kMostPanels > 1) {
    if (left == 3) return f(Number<3>{});
    if (left > 1) return f(Number<2>{});
  }
  f(Number<1>{});
}

/// The same for the panels of a tile, of which `columns` are used.
template <int panels>
EFFDET_INLINE int sum_panels(const CodeTile& t, int count, int columns, CodeSums& sums) {
  constexpr int kRows = kTileRows[panels];
  if constexpr (kHalves && panels == 1)
    if (columns <= kPanel / 2) return sum_rows<kPanelVecs / 2, kRows>(t, count, sums);
  return sum_rows<panels * kPanelVecs, kRows>(t, count, sums);
}

/// Words of k, with those that fill up the last quad.
EFFDET_INLINE int words_of(int k) { return (k + kQuad - 1) / kQuad * (kQuad / kWordValues); }

/// Calls finish(sums, place) for each panel of each tile.
template <typename Out, typename Finish>
EFFDET_INLINE void multiply(const CodeBlock<Out>& g, Finish&& finish) {
  const int words = words_of(g.k);
  const char* a = reinterpret_cast<const char*>(g.a);
  ptrdiff_t lda = g.lda;
  if constexpr (kPairs) {
    const int values = words * kWordValues;
    const bool together = g.lda == values;
    const int runs = together ? 1 : g.m;
    const ptrdiff_t run = together ? static_cast<ptrdiff_t>(g.m) * values : values;
    for (int i = 0; i < runs; ++i) widen_codes(g.a + i * g.lda, g.wide + i * run, run);
    a = reinterpret_cast<const char*>(g.wide);
    lda = ptrdiff_t{2} * values;
  }
  CodeSums sums{};  // vectors beyond half a panel are read, though nothing comes of them
  for (int column = 0, panels; column < g.n; column += panels * kPanel)
    with_panels((g.n - column + kPanel - 1) / kPanel, [&](auto width) __attribute__((always_inline)) {
      panels = decltype(width)::value;
      CodeTile t{.rows = a,
                 .row = lda,
                 .vectors = g.b + column / kPanel * g.b_panel,
                 .panel = g.b_panel,
                 .words = words,
                 .start = g.start + column};
      // In a network, weights come from far: each row tile asks for its share of the next panels.
      t.fetch = reinterpret_cast<const char*>(t.vectors + panels * g.b_panel);
      t.fetch_step =
          panels * kPanel * 4 * kTileRows[decltype(width)::value] / max_of(g.m, kTileRows[decltype(width)::value]);
      for (int row = 0, rows; row < g.m; row += rows, t.rows += rows * lda, t.fetch += t.fetch_step * words) {
        rows = sum_panels<decltype(width)::value>(t, g.m - row, g.n - column, sums);
        for (int j = 0; j < panels; ++j) finish(sums.values + j * kSumPanel, {row, rows, column + j * kPanel});
      }
    });
}

void to_codes(const CodeBlock<uint8_t>& g) {
  with_requantization(
      *g.requantization, [&](const auto& r) __attribute__((always_inline)) {
        multiply(
            g, [&](const int32_t* sums, const SumsPlace& place)
                   __attribute__((always_inline)) { finish(g, r, sums, place); });
      });
}

template <typename Out>
void to_floats(const CodeBlock<Out>& g) {
  multiply(g, [&](const int32_t* sums, const SumsPlace& place) { finish<SumsOf::kAll>(g, sums, place); });
}

void to_columns(const CodeBlock<float>& g) {
  const int words = words_of(g.k);
  CodeSums sums;
  const auto* a = reinterpret_cast<const uint32_t*>(g.a);
  for (int group = 0; group < g.m; group += kTogether * kMostPanels * kPanel)
    for (int channel = 0; channel < g.n; channel += kTileChannels)
      for (int row = group, panels; row < min_of(g.m, group + kTogether * kMostPanels * kPanel); row += panels * kPanel)
        with_panels((g.m - row + kPanel - 1) / kPanel, [&](auto width) __attribute__((always_inline)) {
          panels = decltype(width)::value;
          sum_tile<kTileChannels, decltype(width)::value * kPanelVecs, true>(
              {.rows = reinterpret_cast<const char*>(g.b + channel / kPanel * g.b_panel + channel % kPanel),
               .row = 4,
               .vectors = a + row / kPanel * g.lda / 4,
               .panel = g.lda / 4,
               .words = words,
               .start = g.start + channel},
              sums);
          CodeBlock<float> part = g;
          part.m = min_of(g.m, row + panels * kPanel);
          finish_columns<SumsOf::kAll>(part, sums.values, kSumPanel, {row, kTileChannels, channel});
        });
  _mm_sfence();  // streamed lines become visible before the task counts as done
}

}  // namespace

extern const CodeProducts kCodeProducts = {
    .pairs = kPairs,
    .to_codes = to_codes,
    .to_floats = to_floats<float>,
    .to_bf16 = to_floats<Bf16>,
    .to_columns = to_columns,
    .widen = widen_codes,
};

}  // namespace effdet::kernels::cpu::EFFDET_ISA
