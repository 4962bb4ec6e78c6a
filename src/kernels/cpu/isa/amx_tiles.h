// AMX's tile registers: 16 rows of 64 bytes. Included only by amx_gemm.cc, amx_code_gemm.cc and its test.
#pragma once

#include "kernels/cpu/isa/kernels.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

inline constexpr int kTileRows = 16;   // of a tile register
inline constexpr int kTileWords = 16;  // words of k that one holds, pairs of bf16 or quads of bytes: of A a row
static_assert(kTileRows == kPanel && kPanel == kLanes);

// What the registers are for. A's and B's last words of k, where there are no kTileWords of them, have registers of
// their own: a register's shape cannot change on the way.
constexpr int sum_tile(int i, int j) { return 2 * i + j; }
inline constexpr int kA = 4, kB = 5, kLastA = 6, kLastB = 7;

// Intrinsics take numbers of registers as text alone, and some do not say what memory they touch.
template <int tile, typename T>
EFFDET_INLINE void load_tile(const T* from, ptrdiff_t row_bytes) {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(tile), "r"(from), "r"(row_bytes) : "memory");
}
template <int tile>
EFFDET_INLINE void store_tile(void* to, ptrdiff_t row_bytes) {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(tile), "r"(to), "r"(row_bytes) : "memory");
}
template <int tile>
EFFDET_INLINE void clear_tile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(tile));
}
/// sum += A * B, by pairs of k.
template <int sum, int a, int b>
EFFDET_INLINE void add_product() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(a), "i"(b));
}

/// sum += A * B, by quads of k: A are bytes without sign, B with.
template <int sum, int a, int b>
EFFDET_INLINE void add_code_product() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(a), "i"(b));
}

/// The same where A has signs, and B has none.
template <int sum, int a, int b>
EFFDET_INLINE void add_weight_product() {
  asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(a), "i"(b));
}

/// What LDTILECFG reads.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

/// Shapes for A with so many rows, and so many words of k in the last tiles of A and B.
EFFDET_INLINE TileShapes tile_shapes(int rows, int last_words) {
  TileShapes shapes;
  const auto set = [&](int tile, int tile_rows, int row_bytes) {
    shapes.rows[tile] = static_cast<uint8_t>(tile_rows);
    shapes.row_bytes[tile] = static_cast<uint16_t>(row_bytes);
  };
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j) set(sum_tile(i, j), rows, 64);
  set(kA, rows, 64);
  set(kB, kTileWords, 64);
  if (last_words > 0) {
    set(kLastA, rows, 4 * last_words);
    set(kLastB, last_words, 64);
  }
  return shapes;
}

/// Where tiles of sums go on their way to the vectors. A load of a tile waits for stores before it whose addresses have
/// the same last 12 bits, and four tiles of sums have all that there are: what the sums of the next block begin with is
/// among them. Here it is what the first tile stored first, long before.
template <typename Sums>
class SumsRoom {
 public:
  /// start: what the sums begin with.
  Sums& at(const void* start) {
    return *reinterpret_cast<Sums*>(bytes_ + reinterpret_cast<uintptr_t>(start) % kPage / kLine * kLine);
  }

 private:
  static constexpr size_t kPage = 4096, kLine = 64;
  alignas(kPage) std::byte bytes_[kPage + sizeof(Sums)];
};

/// Takes about 200 cycles.
EFFDET_INLINE void configure_tiles(const TileShapes& shapes) { asm volatile("ldtilecfg %0" ::"m"(shapes)); }

/// After the last product: without tiles, there is nothing to save when the thread changes.
EFFDET_INLINE void release_tiles() { asm volatile("tilerelease"); }

}  // namespace effdet::kernels::cpu::EFFDET_ISA
