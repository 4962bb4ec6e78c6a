// Products of bfloat16 by AMX: a tile register holds 16 rows of A, 32 values each, or as many values of k of a packed
// panel of B, as they lie. Sums are tiles of floats, two by two; they pass through memory, where vectors take them up
// again for what follows the product.
#include "kernels/cpu/isa/amx_tiles.h"
#include "kernels/cpu/isa/transpose_tile.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

constexpr int kTileDepth = 2 * kTileWords;  // values of k
constexpr ptrdiff_t kNearB = 512 << 10;     // values of B that stay in the second-level cache, of 2 MB

void without_tiles(const GemmBlock<Bf16, Bf16>& g) { avx512_bf16::kTable.bf16.gemm(g); }
void without_tiles(const GemmBlock<Bf16, float>& g) { avx512_bf16::kTable.gemm_widen(g); }

/// Up to two by two tiles of sums.
struct Sums {
  alignas(64) float values[2][2][kTileRows][kLanes];
};

/// The first row of tile i of the block at `row`: C's last tile overlaps the one before it rather than its edge.
template <typename Out>
EFFDET_INLINE int tile_row(const GemmBlock<Bf16, Out>& g, int row, int i) {
  return max_of(0, min_of(row + i * kTileRows, g.m - kTileRows));
}

/// Where the factors of a block's tiles stand.
struct Factors {
  const Bf16* a[2];
  const Bf16* b[2];
  ptrdiff_t a_bytes;  ///< between rows
};

/// Goes through as many values of k as the tiles A and B have. One register for either side does, and leaves two for
/// the last step; it takes five loads where four would do, and the products take longer than that.
template <int row_tiles, int column_tiles, int A, int B>
EFFDET_INLINE void step(const Factors& f) {
  constexpr ptrdiff_t kBBytes = 2 * kPanel * sizeof(Bf16);
  load_tile<A>(f.a[0], f.a_bytes);
  if constexpr (column_tiles > 1) {
    load_tile<B>(f.b[1], kBBytes);
    add_product<sum_tile(0, 1), A, B>();
  }
  load_tile<B>(f.b[0], kBBytes);
  add_product<sum_tile(0, 0), A, B>();
  if constexpr (row_tiles > 1) {
    load_tile<A>(f.a[1], f.a_bytes);
    add_product<sum_tile(1, 0), A, B>();
    if constexpr (column_tiles > 1) {
      load_tile<B>(f.b[1], kBBytes);
      add_product<sum_tile(1, 1), A, B>();
    }
  }
}

/// Calls f with the place of each tile of sums.
template <int row_tiles, int column_tiles, typename F>
EFFDET_INLINE void for_sums(F&& f) {
  f(Number<0>{}, Number<0>{});
  if constexpr (column_tiles > 1) f(Number<0>{}, Number<1>{});
  if constexpr (row_tiles > 1) f(Number<1>{}, Number<0>{});
  if constexpr (row_tiles > 1 && column_tiles > 1) f(Number<1>{}, Number<1>{});
}

/// Sums of row_tiles by column_tiles tiles from (row, column) on.
template <int row_tiles, int column_tiles, typename Out>
EFFDET_INLINE void multiply(const GemmBlock<Bf16, Out>& g, int row, int column, Sums& sums) {
  const Bf16* b = g.b + column / kPanel * g.b_panel;
  Factors f{{g.a + tile_row(g, row, 0) * g.lda, g.a + tile_row(g, row, 1) * g.lda},
            {b, b + g.b_panel},
            g.lda * static_cast<ptrdiff_t>(sizeof(Bf16))};
  // Each row of sums begins with the bias.
  for_sums<row_tiles, column_tiles>(
      [&](auto i, auto j) { load_tile<sum_tile(i.value, j.value)>(g.bias + column + j.value * kPanel, 0); });
  int k = 0;
  for (; k + kTileDepth <= g.k; k += kTileDepth) {
    step<row_tiles, column_tiles, kA, kB>(f);
    for (const Bf16*& a : f.a) a += kTileDepth;
    for (const Bf16*& p : f.b) p += kTileDepth * kPanel;
  }
  if (k < g.k) step<row_tiles, column_tiles, kLastA, kLastB>(f);
  for_sums<row_tiles, column_tiles>([&](auto i, auto j) {
    store_tile<sum_tile(i.value, j.value)>(sums.values[i.value][j.value][0], sizeof(sums.values[0][0][0]));
  });
}

/// A tile's sums, and where they belong: rows [row + skip, row + rows) of C are not yet written.
struct SumTile {
  const float (*sums)[kLanes];
  int row, skip, rows, column;
};

/// Residual, partial sums and activation of one tile, and its rows of C.
template <typename Out>
EFFDET_INLINE void finish_rows(const GemmBlock<Bf16, Out>& g, const SumTile& t) {
  const int lanes = min_of(kLanes, g.n - t.column);
  Out* c = g.c + t.row * g.ldc + t.column;
  const Out* residual = g.residual != nullptr ? g.residual + t.row * g.ldc + t.column : nullptr;
  const float* partial = g.partial != nullptr ? g.partial + t.row * g.ld_partial + t.column : nullptr;
  const bool plain = t.skip == 0 && t.rows == kTileRows && lanes == kLanes && residual == nullptr && partial == nullptr;
  with_activation(
      g.activation, [&](auto activation) __attribute__((always_inline)) {
        if (plain) {  // mostly
#pragma GCC unroll 4
          for (int i = 0; i < kTileRows; ++i)
            store(c + i * g.ldc, apply<Bf16>(decltype(activation)::value, load(t.sums[i])));
          return;
        }
        for (int i = t.skip; i < t.rows; ++i) {
          Vec v = load(t.sums[i]);
          if (residual != nullptr) v += load_part(residual + i * g.ldc, lanes);
          if (partial != nullptr) v += load_part(partial + i * g.ld_partial, lanes);
          store_part(c + i * g.ldc, apply<Bf16>(decltype(activation)::value, v), lanes);
        }
      });
}

/// The same for rows of C that are columns of the tile.
EFFDET_INLINE void finish_columns(const GemmBlock<Bf16, float>& g, const SumTile& t) {
  const auto there = static_cast<__mmask16>((1u << t.rows) - (1u << t.skip));
  const bool past_cache =
      there == 0xFFFF && g.ldc % kLanes == 0 && reinterpret_cast<uintptr_t>(g.c + t.row) % sizeof(Vec) == 0;
  float* c = g.c + t.column * g.ldc + t.row;
#pragma GCC unroll 4
  for (int q = 0; q < 4; ++q) {
    Vec out[4];
    transpose_quarters(t.sums, q, out);
    const int count = min_of(4, g.n - t.column - 4 * q);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j, c += g.ldc) {
      if (j >= count) return;
      const Vec v = apply<float>(g.activation, out[j]);
      if (past_cache) {
        stream(c, v);
      } else {
        _mm512_mask_storeu_ps(c, there, reinterpret_cast<__m512>(v));
      }
    }
  }
}

template <int row_tiles, int column_tiles, auto finish, typename Out>
void block(const GemmBlock<Bf16, Out>& g, int row, int column) {
  SumsRoom<Sums> room;
  Sums& sums = room.at(g.bias + column);
  multiply<row_tiles, column_tiles>(g, row, column, sums);
  for (int i = 0; i < row_tiles; ++i) {
    const int first = tile_row(g, row, i), skip = row + i * kTileRows - first;
    for (int j = 0; j < column_tiles; ++j)
      finish(g, {sums.values[i][j], first, skip, min_of(kTileRows, g.m), column + j * kPanel});
  }
}

/// The block of two by two tiles, or what is left of one, from (row, column) on.
template <auto finish, typename Out>
EFFDET_INLINE void block_at(const GemmBlock<Bf16, Out>& g, int row, int column) {
  if (row + kTileRows < g.m) {
    column + kPanel < g.n ? block<2, 2, finish>(g, row, column) : block<2, 1, finish>(g, row, column);
  } else {
    column + kPanel < g.n ? block<1, 2, finish>(g, row, column) : block<1, 1, finish>(g, row, column);
  }
}

template <auto finish, typename Out>
void blocks(const GemmBlock<Bf16, Out>& g) {
  constexpr int kRowStep = 2 * kTileRows, kColumnStep = 2 * kPanel;
  configure_tiles(tile_shapes(min_of(kTileRows, g.m), g.k % kTileDepth / 2));
  // The rows of a block stay in the first-level cache, and B, which lies as it is read, streams past them from the
  // second-level cache. Where it does not fit there, A does, and B is read once.
  if (static_cast<ptrdiff_t>(g.n) * g.k <= kNearB) {
    for (int row = 0; row < g.m; row += kRowStep)
      for (int column = 0; column < g.n; column += kColumnStep) block_at<finish>(g, row, column);
  } else {
    for (int column = 0; column < g.n; column += kColumnStep)
      for (int row = 0; row < g.m; row += kRowStep) block_at<finish>(g, row, column);
  }
  release_tiles();
}

}  // namespace

template <typename Out>
void gemm(const GemmBlock<Bf16, Out>& g) {
  g.a_packed || g.k % 2 != 0 ? without_tiles(g) : blocks<finish_rows<Out>>(g);
}

template void gemm(const GemmBlock<Bf16, Bf16>&);
template void gemm(const GemmBlock<Bf16, float>&);

void gemm_transposed(const GemmBlock<Bf16, float>& g) {
  blocks<finish_columns>(g);
  _mm_sfence();  // streamed lines become visible before the task counts as done
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
