// Products of 8-bit codes on AMX's registers.
#include "kernels/cpu/isa/amx_code_gemm.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

struct Registers {
  EFFDET_INLINE void configure(const TileShapes& shapes) { configure_tiles(shapes); }
  EFFDET_INLINE void release() { release_tiles(); }
  template <int tile>
  EFFDET_INLINE void load(const void* from, ptrdiff_t row_bytes) {
    load_tile<tile>(from, row_bytes);
  }
  template <int tile>
  EFFDET_INLINE void clear() {
    clear_tile<tile>();
  }
  template <int tile>
  EFFDET_INLINE void store(void* to, ptrdiff_t row_bytes) {
    store_tile<tile>(to, row_bytes);
  }
  template <int sum, int a, int b>
  EFFDET_INLINE void add_product() {
    add_code_product<sum, a, b>();
  }
  template <int sum, int a, int b>
  EFFDET_INLINE void add_signed_product() {
    add_weight_product<sum, a, b>();
  }
};

}  // namespace

extern const CodeProducts kCodeProducts = kProductsByTiles<Registers>;

}  // namespace effdet::kernels::cpu::EFFDET_ISA
