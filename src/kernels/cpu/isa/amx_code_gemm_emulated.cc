// The code for AMX on tiles in memory, for tests on processors without it.
#include "kernels/cpu/isa/amx_code_gemm.h"

namespace effdet::kernels::cpu {
namespace EFFDET_ISA {
namespace {

/// What the instructions do, as Intel's manual says it.
struct TilesInMemory {
  static inline TileShapes shapes;
  static inline uint8_t values[8][kTileRows][64];

  static void configure(const TileShapes& s) { shapes = s; }
  static void release() { shapes = {}; }

  template <int tile>
  static void load(const void* from, ptrdiff_t row_bytes) {
    for (int row = 0; row < kTileRows; ++row)
      for (int i = 0; i < 64; ++i)
        values[tile][row][i] = row < shapes.rows[tile] && i < shapes.row_bytes[tile]
                                   ? static_cast<const uint8_t*>(from)[row * row_bytes + i]
                                   : uint8_t{0};
  }

  template <int tile>
  static void clear() {
    for (auto& row : values[tile])
      for (uint8_t& value : row) value = 0;
  }

  template <int tile>
  static void store(void* to, ptrdiff_t row_bytes) {
    for (int row = 0; row < shapes.rows[tile]; ++row)
      for (int i = 0; i < shapes.row_bytes[tile]; ++i)
        static_cast<uint8_t*>(to)[row * row_bytes + i] = values[tile][row][i];
  }

  template <int sum, int a, int b>
  static void add_product() {
    add_products<uint8_t, int8_t>(values[sum], values[a], values[b], shapes.rows[sum], shapes.row_bytes[sum] / 4,
                                  shapes.row_bytes[a]);
  }
  template <int sum, int a, int b>
  static void add_signed_product() {
    add_products<int8_t, uint8_t>(values[sum], values[a], values[b], shapes.rows[sum], shapes.row_bytes[sum] / 4,
                                  shapes.row_bytes[a]);
  }

 private:
  using Register = uint8_t[kTileRows][64];

  template <typename A, typename B>
  static void add_products(Register& sum, const Register& a, const Register& b, int rows, int columns, int bytes) {
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        auto* total = reinterpret_cast<uint32_t*>(sum[row]) + column;
        for (int i = 0; i < bytes; ++i)
          *total += static_cast<uint32_t>(static_cast<A>(a[row][i]) *
                                          static_cast<B>(b[i / kQuad][kQuad * column + i % kQuad]));
      }
  }
};

}  // namespace

extern const CodeProducts kEmulatedTiles;
const CodeProducts kEmulatedTiles = kProductsByTiles<TilesInMemory>;

}  // namespace EFFDET_ISA
}  // namespace effdet::kernels::cpu
