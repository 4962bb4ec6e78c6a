// Products of large float matrices with an eighth fewer multiplications: one level of Strassen's scheme, in Winograd's
// form (S. Winograd, On multiplication of 2x2 matrices, 1971).
//
// Pixels A, weights B and the result C are cut into quarters: rows (pixels) in halves, k in halves, and output channels
// into units of two equal groups of panels. With
//   S1 = A21 + A22   S2 = S1 - A11   S3 = A11 - A21   S4 = A12 - S2
//   T1 = B12 - B11   T2 = B22 - T1   T3 = B22 - B12   T4 = B21 - T2
//   X = A11 B11      U = X + S2 T2   Y = U + S3 T3    Z = U + S1 T1
// the quarters of C are
//   C11 = X + A12 B21   C12 = Z + S4 B22   C21 = Y + A22 T4   C22 = Y + Z - U.
// Most of these sums are taken in registers, as a product's partial sums. Errors grow about by half.
#pragma once

#include <cstdint>

#include "kernels/cpu/micro_kernels.h"

namespace effdet::kernels::cpu {

class Strassen {
 public:
  /// Whether units of output channels and halves of k can be had.
  static bool fits(int64_t depth, int64_t channels);
  /// Whether so many pixels, values of k and output channels are enough for the sums to cost less than they save.
  static bool pays(int64_t pixels, int64_t depth, int64_t channels);

  Strassen(const MicroKernels& micro, int64_t depth, int64_t channels);

  /// Output channels of a unit, but for the last one.
  static constexpr int64_t kUnitColumns = 6 * kPanel;
  /// Units of output channels; those after the last one, fewer than 64, are multiplied as usual.
  int64_t units() const { return (columns_ + kUnitColumns - 1) / kUnitColumns; }
  /// Values for the T of all units: 2 * half_ for each of their channels, as the weights have.
  size_t weight_values() const { return static_cast<size_t>(columns_ * 2 * half_); }
  /// Makes the T of one unit from packed weights.
  void add_weights(int64_t unit, const float* weights, float* sums) const;

  /// Values that run() needs beside those.
  size_t scratch_values(int64_t rows) const;
  /// As gemm(); where g begins at a later channel, a multiple of kUnitColumns, so do weight_sums.
  void run(const GemmBlock<float, float>& g, const float* weight_sums, float* scratch) const;

 private:
  void run_unit(const GemmBlock<float, float>& g, int rows, int64_t column, int64_t columns, const float* weight_sums,
                float* scratch) const;

  const MicroKernels& micro_;
  int64_t half_;     // of k
  int64_t columns_;  // of all units
};

}  // namespace effdet::kernels::cpu
