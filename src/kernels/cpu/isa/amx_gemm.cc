// Products of bfloat16 by AMX: a tile register holds 16 rows of A, 32 values each, or as many values of k of a packed
// panel of B, as it lies. Sums are tiles of floats, two by two; they pass through memory, where vectors take them up
// again for what follows the product.
#include "kernels/cpu/isa/kernels.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

constexpr int kTileRows = 16;   // of a tile register
constexpr int kTileDepth = 32;  // values of k that one holds
static_assert(kTileRows == kPanel && kPanel == kLanes);

// Tile registers. A's and B's last values of k, where there are no kTileDepth of them, have registers of their own: a
// register's shape cannot change on the way.
constexpr int sum_tile(int i, int j) { return 2 * i + j; }
constexpr int kA = 4, kB = 5, kLastA = 6, kLastB = 7;

template <int tile>
EFFDET_INLINE void zero() {
  asm volatile("tilezero %%tmm%c0" ::"i"(tile));
}
template <int tile, typename T>
EFFDET_INLINE void load_tile(const T* from, ptrdiff_t row_bytes) {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(tile), "r"(from), "r"(row_bytes) : "memory");
}
template <int tile>
EFFDET_INLINE void store_tile(float* to, ptrdiff_t row_bytes) {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(tile), "r"(to), "r"(row_bytes) : "memory");
}
template <int sum, int a, int b>
EFFDET_INLINE void add_product() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(a), "i"(b));
}

/// What LDTILECFG reads.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

/// Shapes for A with so many rows, and so many pairs of k in the last tiles of A and B.
EFFDET_INLINE void configure(int rows, int last_pairs) {
  TileShapes shapes;
  const auto set = [&](int tile, int tile_rows, int row_bytes) {
    shapes.rows[tile] = static_cast<uint8_t>(tile_rows);
    shapes.row_bytes[tile] = static_cast<uint16_t>(row_bytes);
  };
  for (int sum = 0; sum < 4; ++sum) set(sum, rows, 64);
  set(kA, rows, 64);
  set(kB, kTileDepth / 2, 64);
  if (last_pairs > 0) {
    set(kLastA, rows, 4 * last_pairs);
    set(kLastB, last_pairs, 64);
  }
  asm volatile("ldtilecfg %0" ::"m"(shapes));
}

void without_tiles(const GemmBlock<Bf16, Bf16>& g) { avx512_bf16::kTable.bf16.gemm(g); }
void without_tiles(const GemmBlock<Bf16, float>& g) { avx512_bf16::kTable.gemm_widen(g); }

template <int i>
struct Index {
  static constexpr int value = i;
};

/// Up to two by two tiles of sums.
struct Sums {
  float values[2][2][kTileRows][kLanes];
};

/// Where a block of up to two by two tiles stands.
template <typename Out>
struct Block {
  const GemmBlock<Bf16, Out>* g;
  int row[2];   // of each tile: the last may overlap the one before it
  int skip[2];  // rows of each that another tile has written
  int column;
};

/// Where the factors of a block's tiles stand.
struct Factors {
  const Bf16* a[2];
  const Bf16* b[2];
  ptrdiff_t a_bytes;  ///< between rows
};

/// Goes through as many values of k as the tiles A and B have. One register for either side does, and leaves two for the
/// last step; it takes five loads where four would do, and the products take longer than that.
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
  f(Index<0>{}, Index<0>{});
  if constexpr (column_tiles > 1) f(Index<0>{}, Index<1>{});
  if constexpr (row_tiles > 1) f(Index<1>{}, Index<0>{});
  if constexpr (row_tiles > 1 && column_tiles > 1) f(Index<1>{}, Index<1>{});
}

/// Sums of row_tiles by column_tiles tiles.
template <int row_tiles, int column_tiles, typename Out>
EFFDET_INLINE void multiply(const Block<Out>& block, Sums& sums) {
  const GemmBlock<Bf16, Out>& g = *block.g;
  const Bf16* b = g.b + block.column / kPanel * g.b_panel;
  Factors f{{g.a + block.row[0] * g.lda, g.a + block.row[1] * g.lda},
            {b, b + g.b_panel},
            g.lda * static_cast<ptrdiff_t>(sizeof(Bf16))};
  for_sums<row_tiles, column_tiles>([&](auto i, auto j) { zero<sum_tile(i.value, j.value)>(); });
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

/// Bias, residual, partial sums and activation of one tile, and its rows of C.
template <typename Out>
EFFDET_INLINE void finish_tile(const GemmBlock<Bf16, Out>& g, const float (*sums)[kLanes], int row, int skip, int rows,
                               int column) {
  const int lanes = min_of(kLanes, g.n - column);
  const Vec bias = load(g.bias + column);
  Out* c = g.c + row * g.ldc + column;
  const Out* residual = g.residual != nullptr ? g.residual + row * g.ldc + column : nullptr;
  const float* partial = g.partial != nullptr ? g.partial + row * g.ld_partial + column : nullptr;
  with_activation(
      g.activation, [&](auto activation) __attribute__((always_inline)) {
        for (int i = skip; i < rows; ++i) {
          Vec v = load(sums[i]) + bias;
          if (residual != nullptr) v += load_part(residual + i * g.ldc, lanes);
          if (partial != nullptr) v += load_part(partial + i * g.ld_partial, lanes);
          v = apply<Out>(decltype(activation)::value, v);
          if (lanes == kLanes) {
            store(c + i * g.ldc, v);
          } else {
            store_part(c + i * g.ldc, v, lanes);
          }
        }
      });
}

template <int row_tiles, int column_tiles, typename Out>
void block_of(const Block<Out>& block, int rows) {
  Sums sums;
  multiply<row_tiles, column_tiles>(block, sums);
  for (int i = 0; i < row_tiles; ++i)
    for (int j = 0; j < column_tiles; ++j)
      finish_tile(*block.g, sums.values[i][j], block.row[i], block.skip[i], rows, block.column + j * kPanel);
}

}  // namespace

template <typename Out>
void gemm(const GemmBlock<Bf16, Out>& g) {
  if (g.a_packed || g.k % 2 != 0) return without_tiles(g);
  const int rows = min_of(kTileRows, g.m);
  configure(rows, g.k % kTileDepth / 2);
  for (int column = 0; column < g.n; column += 2 * kPanel) {
    const bool two_columns = column + kPanel < g.n;
    for (int row = 0; row < g.m; row += 2 * kTileRows) {
      Block<Out> block{&g, {}, {}, column};
      for (int i = 0; i < 2; ++i) {
        block.row[i] = max_of(0, min_of(row + i * kTileRows, g.m - kTileRows));
        block.skip[i] = row + i * kTileRows - block.row[i];
      }
      if (row + kTileRows < g.m) {
        two_columns ? block_of<2, 2>(block, rows) : block_of<2, 1>(block, rows);
      } else {
        two_columns ? block_of<1, 2>(block, rows) : block_of<1, 1>(block, rows);
      }
    }
  }
  asm volatile("tilerelease");
}

template void gemm(const GemmBlock<Bf16, Bf16>&);
template void gemm(const GemmBlock<Bf16, float>&);

}  // namespace effdet::kernels::cpu::EFFDET_ISA
