// The inner loops of resizing and normalising, one set for each instruction set. Functions are compiled for an
// instruction set one by one (target attribute), so that nothing else in the program comes to need it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace effdet::vision {

/// The weights of ResampleWeights as plain pointers.
struct TapTable {
  int outputs;           ///< padded to a multiple of 8
  int pairs;             ///< tap pairs an output
  const int32_t* first;  ///< [outputs]
  const int32_t* low;    ///< [pairs][outputs]
  const int32_t* high;
};

/// Bytes after the last pixel of a row that resample_across may read.
constexpr ptrdiff_t kRowSlack = 32;

struct RowKernels {
  const char* name;
  /// Resamples an interleaved RGB row into three planes that lie plane_stride bytes apart. Reads up to
  /// kRowSlack bytes past the row.
  void (*resample_across)(const uint8_t* rgb, const TapTable& taps, uint8_t* planes, ptrdiff_t plane_stride);
  /// Resamples down the columns: output byte i from byte i of rows[0 .. 2 * taps.pairs), with the weights of output
  /// number `output`. bytes is a multiple of 32.
  void (*resample_down)(const uint8_t* const* rows, const TapTable& taps, int output, uint8_t* out, ptrdiff_t bytes);
  /// out[i] = (in[i] - mean) / std in float32, each operation rounded.
  void (*normalise)(const uint8_t* in, int count, float mean, float std, float* out);
  /// Three planes that lie plane_stride bytes apart to interleaved RGB. Writes 3 * count bytes and no more.
  void (*interleave)(const uint8_t* planes, ptrdiff_t plane_stride, int count, uint8_t* rgb);
};

/// Plain C++: runs everywhere, and the oracle of the others.
const RowKernels& scalar_row_kernels();
/// nullptr where the compiler's target or this processor lacks AVX2.
const RowKernels* avx2_row_kernels();
/// The best that this processor runs.
const RowKernels& row_kernels();

}  // namespace effdet::vision
