// Products of 8-bit codes by int8 weights: what an instruction set has for them. As micro_kernels.h, this is a seam to
// code that is compiled for single instruction sets.
#pragma once

#include "kernels/cpu/micro_kernels.h"

namespace effdet::kernels::cpu {

/// Values of k that lie side by side in packed int8 weights: four make a lane.
inline constexpr int kQuad = 4;

/// C[m, n] = what follows start[n] + A[m, k] * B[k, n] for a block of rows (pixels) and columns (channels). The sums
/// are exact, modulo 2^32; A's zero point is in `start`. What follows is that of ops::SumsToMap: times scale[n], plus
/// residual[m, n] times its scale, then the activation, or the code.
template <typename Out>
struct CodeBlock {
  const uint8_t* a;  ///< whole quads of k are read; lda bytes between rows
  ptrdiff_t lda;
  const uint32_t* b;  ///< panels [quads of k][kPanel] of quads, `b_panel` words between panels; as CodeProducts::pairs
  ptrdiff_t b_panel;
  const int32_t* start;  ///< bias less the zero point's products; start and scale are padded to a multiple of kPanel
  const float* scale;    ///< of codes: Requantizer::multiplier() of what a step of the sums stands for
  const Out* residual;   ///< ldc values between rows; null for none
  float residual_scale;  ///< of a residual of codes, as `scale`
  int residual_zero_point;
  Out* c;  ///< row-major, ldc values between rows
  ptrdiff_t ldc;
  int m, n, k;
  Activation activation;                 ///< of floats
  const Requantization* requantization;  ///< of codes
  int16_t* wide;                         ///< room for m rows of whole quads of k; with CodeProducts::pairs only
};

struct CodeProducts {
  /// Without instructions for bytes: products of pairs of int16. B is then panels [pairs of k][kPanel] of such pairs,
  /// as many as whole quads have.
  bool pairs;
  void (*to_codes)(const CodeBlock<uint8_t>&);
  void (*to_floats)(const CodeBlock<float>&);
  void (*to_bf16)(const CodeBlock<Bf16>&);
  /// The same with C's rows and columns exchanged: ldc values between columns, written past the cache; no residual. A
  /// is packed as B is, in panels of kPanel rows, `lda` bytes between panels.
  void (*to_columns)(const CodeBlock<float>&);
  /// y[i] = x[i], for A of pairs.
  void (*widen)(const uint8_t* x, int16_t* y, int64_t count);
};

namespace amx_bf16 {
extern const CodeProducts kCodeProducts;  ///< for AMX-INT8
}
namespace avx512 {
extern const CodeProducts kCodeProducts;
}
namespace avx2 {
extern const CodeProducts kCodeProducts;
}
namespace sse2 {
extern const CodeProducts kCodeProducts;
}

}  // namespace effdet::kernels::cpu
