// The seam between portable code and code compiled for one instruction set.
//
// The files in isa/ are compiled once for each instruction set, in a namespace of its own, and export one table of
// function pointers. They use nothing of the standard library but <cstdint> and <cstddef>: an inline function that two
// instruction sets share would be merged by the linker, and then run where it must not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/activation.h"
#include "base/bf16.h"
#include "kernels/cpu/code_kernels.h"
#include "ops/elementwise_op.h"
#include "ops/fused/mix_inputs.h"
#include "ops/panel.h"

namespace effdet::kernels::cpu {

/// ops::kPanelChannels, as kernels count.
inline constexpr int kPanel = static_cast<int>(ops::kPanelChannels);

/// Values of k that lie side by side in packed weights and are multiplied in one step: two bf16 make a lane.
template <typename T>
inline constexpr int kPair = static_cast<int>(sizeof(float) / sizeof(T));

/// C[m, n] = act(A[m, k] * B[k, n] + bias[n] + residual[m, n] + partial[m, n]) for a block of rows and columns.
///
/// With a_packed both sides are packed, for a C whose rows are output channels: A are the weights, B the pixels, the
/// bias has one value a row, there are no residual and no partial sums, and C is written past the cache, since it is
/// large and only the caller reads it.
///
/// A and B are of type In, C of type Out; sums are floats.
template <typename In, typename Out>
struct GemmBlock {
  const In* a;       ///< lda values between rows, a_step between values of a row; packed: as b, lda values between
  ptrdiff_t lda;     ///< panels of rows
  ptrdiff_t a_step;  ///< 1 for row-major data, and always where In is Bf16
  const In* b;       ///< packed: panels of [k / kPair][kPanel][kPair], b_panel values between panels, zero-padded
  ptrdiff_t b_panel;
  const float* bias;    ///< padded to a multiple of kPanel; never null
  const Out* residual;  ///< ldc values between rows; null for none
  Out* c;               ///< row-major, ldc values between rows
  ptrdiff_t ldc;
  const float* wide_b = nullptr;   ///< B by MicroKernels::widen_panel, where A is not packed; null: nobody did that
  const float* partial = nullptr;  ///< ld_partial values between rows; must not be C; null for none
  ptrdiff_t ld_partial = 0;
  int m, n, k;
  Activation activation;
  bool a_packed;
};

/// Depthwise weights for products of pairs: input rows go two by two, and for each of kPairHeight output rows a pair
/// has the two taps that fall on it, or 0: [vectors of kPanel channels][output row][pair][kernel][kPanel][2].
inline constexpr int kPairHeight = 2;
/// Pairs of input rows under kPairHeight output rows.
constexpr int depthwise_pairs(int kernel, int stride) { return ((kPairHeight - 1) * stride + kernel + 1) / 2; }
/// Values that a vector of channels takes.
constexpr int depthwise_pairs_size(int kernel, int stride) {
  return kPairHeight * depthwise_pairs(kernel, stride) * kernel * kPanel * 2;
}
/// The most input rows, for a kernel of 5 and a stride of 2.
inline constexpr int kMostPairRows = 2 * depthwise_pairs(5, 2);

/// A rectangle of a depthwise convolution's output on NHWC data, for one image and a run of neighbouring channels.
template <typename In, typename Out = In>
struct DepthwiseRows {
  const In* x;           ///< [in_height][in_width], x_pixel values between pixels
  const float* weights;  ///< [kernel_height][kernel_width], weight_tap floats between taps
  const float* bias;     ///< [channels]
  Out* y;                ///< where row 0, column 0 would lie: y_row values between rows, y_pixel between pixels
  float* sums;           ///< [channels]: the sum of y over the rows is added; null where nobody wants it
  const Bf16* pairs;     ///< the weights for products of pairs; null for others
  int x_pixel, weight_tap, y_pixel;
  ptrdiff_t y_row;
  int in_height, in_width, channels;
  int kernel_height, kernel_width, stride_y, stride_x, pad_top, pad_left;
  int row_begin, row_end, column_begin, column_end;  ///< of the output, to compute
  Activation activation;
};

/// Rows of a pool on NHWC data, for one image. Padding never wins, and does not count in a mean.
template <typename T>
struct PoolRows {
  const T* x;
  T* y;
  int in_height, in_width, out_width, channels;
  int kernel_height, kernel_width, stride_y, stride_x, pad_top, pad_left;
  bool zero_padding;  ///< windows that reach beyond x see zeros there
  T zero{};           ///< a zero of x: of codes, the zero point
  int row_begin, row_end;
};

/// Rows of y = act(sum over i of weight[i] * x[i]), every x[i] enlarged to y's size by nearest neighbours; NHWC, one
/// image.
template <typename T>
struct MixRows {
  const T* x[ops::kMaxMixInputs];
  float weight[ops::kMaxMixInputs];
  int height[ops::kMaxMixInputs], width[ops::kMaxMixInputs];  ///< of each input
  int inputs;
  T* y;
  int out_height, out_width, channels;
  int row_begin, row_end;
  Activation activation;
};

/// Rows of y = act(a + b - c + bias + residual): the last quarter of a product by Strassen's scheme.
struct LastQuarter {
  const float *a, *b, *c;  ///< ld values between rows
  const float* bias;       ///< [columns]
  const float* residual;   ///< as y; null for none
  float* y;                ///< ldy values between rows
  ptrdiff_t ld, ldy;
  int rows, columns;
  Activation activation;
};

/// The quarters [11, 12, 21, 22] of a matrix, or of a row of each, and where their four sums go.
struct Quarters {
  const float* in[4];
  float* sums[4];
  int count;
};

/// Outputs a side of a tile of Winograd's convolution by 3x3 windows, and the inputs below them.
inline constexpr int kWinogradOut = 2, kWinogradSide = kWinogradOut + 2,
                     kWinogradValues = kWinogradSide * kWinogradSide;

/// Tiles of an output map, counted row by row.
struct WinogradTiles {
  int first, count;
  int across;  ///< tiles in a row of them
};

/// v = B^T x B of each tile, by value: kWinogradValues matrices [tiles][channels], `plane` values apart.
struct WinogradInput {
  WinogradTiles tiles;
  const float* x;  ///< [height][width][channels]
  int height, width, channels, pad_top, pad_left;
  float* v;
  ptrdiff_t plane;
};

/// y = act(A^T m A + bias + residual) of each tile; m as v, `channels` of the map's.
struct WinogradOutput {
  WinogradTiles tiles;
  const float* m;
  ptrdiff_t plane;
  const float* bias;      ///< padded to whole panels
  const float* residual;  ///< as y; null for none
  float* y;               ///< [height][width], `pixel` values between pixels
  ptrdiff_t pixel;
  int height, width, channels;
  Activation activation;
};

/// Where an output row or column of a resize comes from: two input positions, and their weights.
struct ResizeTap {
  int first, second;
  float first_weight, second_weight;
};

/// Rows of an NHWC map resized by two taps a side, for one image.
template <typename T>
struct ResizeRows {
  const T* x;
  T* y;
  const ResizeTap *rows, *columns;  ///< one for each output row and column
  int in_width, out_width, channels;
  int row_begin, row_end;
};

/// y[i] = op(a[i], b[i]): one step of a program on a run of values. y may be a or b.
struct ElementwiseRun {
  struct Operand {
    const float* data;
    int step;  ///< 1; 0 for one value
  };
  ops::ElementwiseOp op;
  Operand a, b;      ///< b: of operators with two operands that are not numbers
  float numbers[2];  ///< of the others, after the first operand
  float* y;
  int count;
};

/// How values become one. A maximum or minimum with NaN is NaN.
enum class Fold : int { kSum, kSquares, kMax, kMin };

/// Integer conversion of colours: clamp(((factor (in - input_bias)) >> 8) + output_bias) to 0..255.
struct ColourMatrix {
  int32_t factor[9], input_bias[3], output_bias[3];
};

/// A row of camera pixels that becomes rows of float planes: (sample - mean - min) * scale.
struct PixelRow {
  /// A channel's samples: `step` bytes (1, 3, 4; shared ones 2) from one to the next; shared by two pixels (count
  /// is even then) or not.
  struct Samples {
    const uint8_t* first;
    int step;
    bool shared;
  };
  Samples samples[3];
  int count, channels;
  const ColourMatrix* matrix;  ///< null for none; needs three channels
  float mean[3], min[3], scale[3];
  float* out[3];
  uint8_t* scratch;  ///< 6 * count bytes
};

/// How sums become 8-bit codes: what ops::Requantizer computes, as vectors read it (requantization.h makes it).
struct Requantization {
  static constexpr int kLines = 64, kSegmentBits = 9;
  /// A line of the table of swish, with the zero point and half a step in its base; in odd segments it begins at the
  /// segment's end.
  struct Line {
    int16_t base, slope;
  };
  Activation activation;
  float inverse_scale;  ///< of other activations, as all but what swish has
  int16_t zero_point;
  uint8_t lowest, highest;  ///< codes
  int shift;                ///< of swish
  Line lines[kLines];
  /// The same by bytes, for shuffles, which look up one of 16: rows 1 to 3 are XORed with the row before them, so that
  /// all rows up to a segment's, XORed, give its byte. Slopes have 9 bits: those of the first `falling` segments are
  /// negative, the others are not.
  struct Bytes {
    alignas(16) uint8_t base_low[kLines / 16][16];
    uint8_t base_high[kLines / 16][16], slope_low[kLines / 16][16];
    int8_t falling;
  };
  Bytes bytes;
};

struct CodeProducts;

/// What an instruction set does with maps of 8-bit codes.
struct CodeKernels {
  /// y[i] = the code of x[i] * factor; x may hold anything.
  void (*requantize)(const float* x, float factor, uint8_t* y, int64_t count, const Requantization&);
  void (*gate)(const GateRun&);
  void (*mix)(const MixCodes&);
  void (*max_pool)(const PoolRows<uint8_t>&);
  /// y[i] = table[x[i]], for a table of 256.
  void (*look_up)(const uint8_t* x, const uint8_t* table, uint8_t* y, int64_t count);
  /// What ops::Quantization's code() and number() are.
  void (*quantize)(const float* x, uint8_t* y, int64_t count, float scale, int32_t zero_point);
  void (*quantize_bf16)(const Bf16* x, uint8_t* y, int64_t count, float scale, int32_t zero_point);
  void (*dequantize)(const uint8_t* x, float* y, int64_t count, float scale, int32_t zero_point);
  void (*dequantize_bf16)(const uint8_t* x, Bf16* y, int64_t count, float scale, int32_t zero_point);
};

/// What an instruction set does with maps of one type.
template <typename T>
struct MapKernels {
  void (*gemm)(const GemmBlock<T, T>&);
  void (*depthwise)(const DepthwiseRows<T>&);
  void (*max_pool)(const PoolRows<T>&);
  void (*average_pool)(const PoolRows<T>&);
  void (*mix)(const MixRows<T>&);
  void (*resize)(const ResizeRows<T>&);
  /// y = x * gate[channel].
  void (*gate)(const T* x, const float* gate, T* y, int64_t pixels, int channels);
  /// y[i * panel..] = x[i] * scale[i] for the kPanel values of each i: packed weights times a gate on their input
  /// channel.
  void (*scale_panel)(const T* b, const float* scale, T* y, int k);
  /// result[c] = fold of result[c] and x[row * stride + c] over all rows.
  void (*fold_rows)(const T* x, int64_t rows, ptrdiff_t stride, int64_t columns, float* result, Fold fold);
};

/// Sums for a product by Strassen's scheme (strassen.h).
struct StrassenKernels {
  /// 21 + 22; 21 + 22 - 11; 11 - 21; 12 - (21 + 22 - 11).
  void (*pixel_sums)(const Quarters&);
  /// 12 - 11; 22 - (12 - 11); 22 - 12; 21 - (22 - (12 - 11)).
  void (*weight_sums)(const Quarters&);
  void (*last_quarter)(const LastQuarter&);
};

/// Sums for Winograd's convolution (winograd.cc).
struct WinogradKernels {
  void (*input)(const WinogradInput&);
  void (*output)(const WinogradOutput&);
};

/// One instruction set's functions.
struct MicroKernels {
  /// "amx_bf16", "avx512_bf16", "avx512_wide", "avx512_vnni", "avx512", "avx_vnni", "avx2", "sse2"
  const char* name;
  bool multiplies_bf16;  ///< the processor has instructions for it
  const MapKernels<float>& f32;
  MapKernels<Bf16> bf16;
  /// Products at the borders of the part of a model that is bf16.
  void (*gemm_narrow)(const GemmBlock<float, Bf16>&);
  void (*gemm_widen)(const GemmBlock<Bf16, float>&);
  /// The same with C's rows and columns exchanged: C has `ldc` values between columns, is written past the cache, and
  /// there are no residual and no partial sums. k is even. Null where packing both sides is as fast.
  void (*gemm_transposed)(const GemmBlock<Bf16, float>&);
  /// Where a map between two layers is float for want of products of bf16.
  void (*depthwise_narrow)(const DepthwiseRows<float, Bf16>&);
  /// As bf16.depthwise, from DepthwiseRows::pairs, for square kernels of 3 or 5 and strides of 1 or 2. Null where bf16
  /// is better widened: vectors do not multiply it, or not as fast as floats (Intel's: half as fast, where AMX is).
  void (*depthwise_by_pairs)(const DepthwiseRows<Bf16>&);
  /// y[i] = x[i].
  void (*narrow)(const float* x, Bf16* y, int64_t count);
  void (*widen)(const Bf16* x, float* y, int64_t count);
  /// A packed panel [k / kPair][kPanel][kPair] as floats [k][kPanel], for GemmBlock::wide_b; an odd k counts as
  /// one more. Null where bf16.gemm does not widen.
  void (*widen_panel)(const Bf16* panel, float* wide, int k);
  /// y[i] = act(x[i]).
  void (*activate)(const float* x, float* y, int64_t count, Activation activation);
  void (*elementwise)(const ElementwiseRun&);
  /// The fold of a line of values; 0 or an infinity for none.
  float (*fold_line)(const float* x, int64_t count, Fold fold);
  /// At most kPanel cells of an LSTM from the sums of their gates [input, output, forget, cell][kPanel].
  void (*lstm_cell)(const float* gates, float* cell, float* hidden, int units);
  /// y[i] = (x[i] - mean) / sqrt(variance + epsilon) * scale[i] + bias[i]; bias may be null. Where it is not centred,
  /// as if the mean were 0.
  void (*normalize_line)(const float* x, float* y, int64_t count, const float* scale, const float* bias, float epsilon,
                         bool centred);
  /// y[i] = e^x[i] over the sum of all; of a line, or of `columns` lines whose values are `stride` apart.
  void (*softmax_line)(const float* x, float* y, int64_t count);
  void (*softmax_columns)(const float* x, float* y, int64_t count, ptrdiff_t stride, int64_t columns);
  /// y[j] = act(bias[j] + sum over i of x[i] * w[i * outputs + j]).
  void (*vector_matrix)(const float* x, const float* w, const float* bias, float* y, int inputs, int outputs,
                        Activation activation);
  /// y[columns][rows] = x[rows][columns], with row strides.
  void (*transpose)(const float* x, ptrdiff_t x_stride, float* y, ptrdiff_t y_stride, int rows, int columns);
  void (*pixel_row)(const PixelRow&);
  StrassenKernels strassen;
  WinogradKernels winograd;
  CodeKernels codes;
  /// Of codes by int8 weights (code_products.h).
  const CodeProducts* code_products;
  const CodeDepthwise* code_depthwise;
};

/// The best table that this processor can run, or the one that EFFDET_ISA names (as MicroKernels::name).
/// Throws Error(kUsage) for a name that is unknown or that this processor cannot run.
const MicroKernels& micro_kernels();

/// The table of a name, or null where it is unknown or this processor cannot run it; for tests of every instruction
/// set.
const MicroKernels* micro_kernels_for(const char* name);

namespace amx_bf16 {
/// As MapKernels<Bf16>::gemm and MicroKernels::gemm_widen; the rest of its table is avx512_bf16's.
template <typename Out>
void gemm(const GemmBlock<Bf16, Out>&);
void gemm_transposed(const GemmBlock<Bf16, float>&);
}  // namespace amx_bf16
namespace avx512_bf16 {
extern const MicroKernels kTable;
}
namespace avx512 {
extern const MapKernels<float> kFloatMaps;  ///< avx512_bf16 has them too
extern const MicroKernels kTable;
}  // namespace avx512
namespace avx512_vnni {
extern const CodeProducts kCodeProducts;  ///< avx512_bf16 has them too; the rest of its table is avx512's
}
namespace avx_vnni {
extern const CodeProducts kCodeProducts;  ///< the rest of its table is avx2's
}
namespace avx2 {
extern const MicroKernels kTable;
}
namespace sse2 {
extern const MicroKernels kTable;
}

}  // namespace effdet::kernels::cpu
