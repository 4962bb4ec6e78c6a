// Products of 8-bit codes by AMX: a tile register holds 16 rows of A, 64 codes each, or as many quads of k of a packed
// panel of B, as they lie. Sums are tiles of integers, two by two; they pass through memory, where vectors take them up
// for what follows. As amx_gemm.cc, which has bfloat16.
//
// Sums begin with zeros, and what they would begin with is added by the vectors: a tile of it would have to wait for
// stores of sums (SumsRoom), and integers lose nothing.
//
// Tiles has the operations on registers, so that tests run this on any processor (cpu/amx_code_gemm_test.cc). Sizes of
// blocks are those of bfloat16.
#pragma once

#include "kernels/cpu/isa/amx_tiles.h"
#include "kernels/cpu/isa/code_sums.h"
#include "kernels/cpu/isa/transpose_tile.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

inline constexpr int kCodeTileDepth = kQuad * kTileWords;  // values of k
inline constexpr ptrdiff_t kNearCodes = 1 << 20;           // values of B that stay in the second-level cache, of 2 MB

/// Up to two by two tiles of sums, and rows that are read after the last but belong to nothing.
struct CodeTileSums {
  alignas(64) int32_t values[2][2][kTileRows][kPanel];
  int32_t beyond[kTileRows - 1][kPanel];
};

/// The first row of tile i of the block at `row`: C's last tile overlaps the one before it rather than its edge.
EFFDET_INLINE int first_row(int m, int row, int i) { return max_of(0, min_of(row + i * kTileRows, m - kTileRows)); }

/// Where the factors of a block's tiles stand.
struct CodeFactors {
  const uint8_t* a[2];
  const uint32_t* b[2];
  ptrdiff_t a_bytes;  ///< between rows
};

/// Goes through as many words of k as the tiles A and B have.
template <typename Tiles, int row_tiles, int column_tiles, int A, int B>
EFFDET_INLINE void add_step(const CodeFactors& f) {
  constexpr ptrdiff_t kBBytes = kQuad * kPanel;
  Tiles::template load<A>(f.a[0], f.a_bytes);
  if constexpr (column_tiles > 1) {
    Tiles::template load<B>(f.b[1], kBBytes);
    Tiles::template add_product<sum_tile(0, 1), A, B>();
  }
  Tiles::template load<B>(f.b[0], kBBytes);
  Tiles::template add_product<sum_tile(0, 0), A, B>();
  if constexpr (row_tiles > 1) {
    Tiles::template load<A>(f.a[1], f.a_bytes);
    Tiles::template add_product<sum_tile(1, 0), A, B>();
    if constexpr (column_tiles > 1) {
      Tiles::template load<B>(f.b[1], kBBytes);
      Tiles::template add_product<sum_tile(1, 1), A, B>();
    }
  }
}

/// Calls f with the place of each tile of sums.
template <int row_tiles, int column_tiles, typename F>
EFFDET_INLINE void for_tiles(F&& f) {
  f(Number<0>{}, Number<0>{});
  if constexpr (column_tiles > 1) f(Number<0>{}, Number<1>{});
  if constexpr (row_tiles > 1) f(Number<1>{}, Number<0>{});
  if constexpr (row_tiles > 1 && column_tiles > 1) f(Number<1>{}, Number<1>{});
}

/// Sums of row_tiles by column_tiles tiles from (row, column) on.
template <typename Tiles, int row_tiles, int column_tiles, typename Out>
EFFDET_INLINE void sum_tiles(const CodeBlock<Out>& g, int row, int column, CodeTileSums& sums) {
  const uint32_t* b = g.b + column / kPanel * g.b_panel;
  CodeFactors f{
      {g.a + first_row(g.m, row, 0) * g.lda, g.a + first_row(g.m, row, 1) * g.lda}, {b, b + g.b_panel}, g.lda};
  for_tiles<row_tiles, column_tiles>([](auto i, auto j) { Tiles::template clear<sum_tile(i.value, j.value)>(); });
  int k = 0;
  for (; k + kCodeTileDepth <= g.k; k += kCodeTileDepth) {
    add_step<Tiles, row_tiles, column_tiles, kA, kB>(f);
    for (const uint8_t*& a : f.a) a += kCodeTileDepth;
    for (const uint32_t*& p : f.b) p += kTileWords * kPanel;
  }
  if (k < g.k) add_step<Tiles, row_tiles, column_tiles, kLastA, kLastB>(f);
  for_tiles<row_tiles, column_tiles>([&](auto i, auto j) {
    Tiles::template store<sum_tile(i.value, j.value)>(sums.values[i.value][j.value], sizeof(sums.values[0][0][0]));
  });
}

/// Up to two by two tiles of C, the first at (row, column).
struct TileBlock {
  int row, column, row_tiles, column_tiles;
};

template <typename Tiles, typename Out>
EFFDET_INLINE void sum_block(const CodeBlock<Out>& g, const TileBlock& block, CodeTileSums& sums) {
  if (block.row_tiles > 1) {
    block.column_tiles > 1 ? sum_tiles<Tiles, 2, 2>(g, block.row, block.column, sums)
                           : sum_tiles<Tiles, 2, 1>(g, block.row, block.column, sums);
  } else {
    block.column_tiles > 1 ? sum_tiles<Tiles, 1, 2>(g, block.row, block.column, sums)
                           : sum_tiles<Tiles, 1, 1>(g, block.row, block.column, sums);
  }
}

/// Calls finish(sums, place) for each tile of a block: sums of the rows that no tile before it has.
template <typename Out, typename Finish>
EFFDET_INLINE void finish_block(const CodeBlock<Out>& g, const TileBlock& block, const CodeTileSums& sums,
                                Finish& finish) {
  for (int i = 0; i < block.row_tiles; ++i) {
    const int first = first_row(g.m, block.row, i), begin = block.row + i * kTileRows;
    const int end = min_of(first + kTileRows, g.m);
    for (int j = 0; j < block.column_tiles; ++j)
      finish(sums.values[i][j][begin - first], SumsPlace{begin, end - begin, block.column + j * kPanel});
  }
}

/// Words of k in the last tiles, where those are not whole.
EFFDET_INLINE int last_words(int k) { return (k % kCodeTileDepth + kQuad - 1) / kQuad; }

/// ahead: tiles make the sums of a block before vectors finish the one before it. Loads of sums wait for the stores
/// before them, which are long done then; where little is left for vectors to do, it only takes longer.
template <typename Tiles, bool ahead, typename Out, typename Finish>
EFFDET_INLINE void code_blocks(const CodeBlock<Out>& g, Finish&& finish) {
  constexpr int kRowStep = 2 * kTileRows, kColumnStep = 2 * kPanel;
  Tiles::configure(tile_shapes(min_of(kTileRows, g.m), last_words(g.k)));
  CodeTileSums sums[ahead ? 2 : 1];
  TileBlock last{};
  int turn = 0;
  const auto take = [&](int row, int column) __attribute__((always_inline)) {
    const TileBlock next{row, column, row + kTileRows < g.m ? 2 : 1, column + kPanel < g.n ? 2 : 1};
    sum_block<Tiles>(g, next, sums[turn]);
    if constexpr (ahead) turn = 1 - turn;
    finish_block(g, ahead ? last : next, sums[turn], finish);
    last = next;
  };
  // As in amx_gemm.cc: B streams past the rows of a block, or where it is large, A past the columns.
  if (static_cast<ptrdiff_t>(g.n) * g.k <= kNearCodes) {
    for (int row = 0; row < g.m; row += kRowStep)
      for (int column = 0; column < g.n; column += kColumnStep) take(row, column);
  } else {
    for (int column = 0; column < g.n; column += kColumnStep)
      for (int row = 0; row < g.m; row += kRowStep) take(row, column);
  }
  Tiles::release();
  if constexpr (ahead) finish_block(g, last, sums[1 - turn], finish);
}

template <typename Tiles>
void codes_by_tiles(const CodeBlock<uint8_t>& g) {
  with_requantization(*g.requantization, [&]<bool swish>(const Requantize<swish, true>& r) {
    code_blocks<Tiles, swish>(
        g, [&](const int32_t* sums, const SumsPlace& place) { finish<SumsOf::kProducts>(g, r, sums, place); });
  });
}

template <typename Tiles, typename Out>
void floats_by_tiles(const CodeBlock<Out>& g) {
  code_blocks<Tiles, false>(
      g, [&](const int32_t* sums, const SumsPlace& place) { finish<SumsOf::kProducts>(g, sums, place); });
}

/// Tiles whose A has signs, and B has none.
template <typename Tiles>
struct SignedTiles : Tiles {
  template <int sum, int a, int b>
  EFFDET_INLINE void add_product() {
    Tiles::template add_signed_product<sum, a, b>();
  }
};

/// Words of k that channels of weights may have here, in rows of whole tiles.
inline constexpr int kMostColumnWords = 256;
struct WeightRows {
  alignas(64) uint32_t words[2 * kTileRows * kMostColumnWords];
};

/// A packed panel of weights, [words][kPanel], as rows of `step` words, a channel each.
EFFDET_INLINE void unpack_panel(const uint32_t* panel, int words, uint32_t* rows, int step) {
  for (int word = 0; word < words; word += kTileWords) {
    alignas(64) uint32_t tile[kTileWords][kPanel] = {};
    const int count = min_of(kTileWords, words - word);
    for (int i = 0; i < count; ++i)
      store(reinterpret_cast<int32_t*>(tile[i]), load(reinterpret_cast<const int32_t*>(panel) + (word + i) * kPanel));
    for (int quarter = 0; quarter < 4; ++quarter) {
      Vec channels[4];
      transpose_quarters(reinterpret_cast<const float(*)[kLanes]>(tile), quarter, channels);
      for (int i = 0; i < 4; ++i)
        store(reinterpret_cast<int32_t*>(rows + (4 * quarter + i) * step + word),
              reinterpret_cast<IntVec>(channels[i]));
    }
  }
}

/// Weights by packed pixels: a tile of sums is [channel][pixel].
template <typename Tiles>
void columns_by_tiles(const CodeBlock<float>& g) {
  const int words = (g.k + kQuad - 1) / kQuad, step = (words + kTileWords - 1) / kTileWords * kTileWords;
  if (words > kMostColumnWords) return avx512_vnni::kCodeProducts.to_columns(g);
  Tiles::configure(tile_shapes(kTileRows, last_words(g.k)));
  WeightRows weights;
  CodeTileSums sums;
  CodeBlock<float> part = g;  // the product with its sides exchanged
  part.a = reinterpret_cast<const uint8_t*>(weights.words);
  part.lda = kQuad * step;
  part.b = reinterpret_cast<const uint32_t*>(g.a);
  part.b_panel = g.lda / kQuad;
  CodeBlock<float> result = g;
  for (int column = 0; column < g.n; column += 2 * kPanel) {
    const int panels = column + kPanel < g.n ? 2 : 1;
    for (int i = 0; i < panels; ++i)
      unpack_panel(g.b + (column / kPanel + i) * g.b_panel, words, weights.words + i * kTileRows * step, step);
    part.m = panels * kPanel;
    for (int row = 0; row < g.m; row += 2 * kTileRows) {
      sum_block<SignedTiles<Tiles>>(part, {0, row, panels, row + kTileRows < g.m ? 2 : 1}, sums);
      result.m = min_of(g.m, row + 2 * kTileRows);
      for (int i = 0; i < panels; ++i)
        finish_columns<SumsOf::kProducts>(result, sums.values[i][0][0], kTileRows * kPanel,
                                          {row, kPanel, column + i * kPanel});
    }
  }
  Tiles::release();
  _mm_sfence();  // streamed lines become visible before the task counts as done
}

template <typename Tiles>
inline constexpr CodeProducts kProductsByTiles = {
    .pairs = false,
    .to_codes = codes_by_tiles<Tiles>,
    .to_floats = floats_by_tiles<Tiles, float>,
    .to_bf16 = floats_by_tiles<Tiles, Bf16>,
    .to_columns = columns_by_tiles<Tiles>,
    .widen = nullptr,
};

}  // namespace effdet::kernels::cpu::EFFDET_ISA
