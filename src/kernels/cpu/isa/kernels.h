// What the files in isa/ give to the table of their instruction set.
#pragma once

#include "kernels/cpu/isa/vec.h"

// AVX512-BF16 adds nothing for floats: its table has AVX-512's functions for them.
#if defined(__AVX512BF16__)
#define EFFDET_OWN_FLOAT_MAPS 0
#else
#define EFFDET_OWN_FLOAT_MAPS 1
#endif

namespace effdet::kernels::cpu::EFFDET_ISA {

template <typename In, typename Out>
void gemm(const GemmBlock<In, Out>&);
template <typename In, typename Out>
void depthwise(const DepthwiseRows<In, Out>&);
#if defined(__AVX512BF16__)
void depthwise_by_pairs(const DepthwiseRows<Bf16>&);
#endif
template <typename T>
void max_pool(const PoolRows<T>&);
template <typename T>
void average_pool(const PoolRows<T>&);
template <typename T>
void mix(const MixRows<T>&);
template <typename T>
void resize(const ResizeRows<T>&);
template <typename T>
void gate(const T* x, const float* gate, T* y, int64_t pixels, int channels);
void scale_panel(const float* b, const float* scale, float* y, int k);
void scale_panel(const Bf16* b, const float* scale, Bf16* y, int k);
void narrow(const float* x, Bf16* y, int64_t count);
void widen(const Bf16* x, float* y, int64_t count);
#if !defined(__AVX512BF16__)
void widen_panel(const Bf16* panel, float* wide, int k);
#endif
void elementwise(const ElementwiseRun&);
template <typename T>
void fold_rows(const T* x, int64_t rows, ptrdiff_t stride, int64_t columns, float* result, Fold fold);
void normalize_line(const float* x, float* y, int64_t count, const float* scale, const float* bias, float epsilon,
                    bool centred);
void lstm_cell(const float* gates, float* cell, float* hidden, int units);
void softmax_line(const float* x, float* y, int64_t count);
void softmax_columns(const float* x, float* y, int64_t count, ptrdiff_t stride, int64_t columns);
float fold_line(const float* x, int64_t count, Fold fold);
void activate(const float* x, float* y, int64_t count, Activation activation);
void vector_matrix(const float* x, const float* w, const float* bias, float* y, int inputs, int outputs,
                   Activation activation);
void transpose(const float* x, ptrdiff_t x_stride, float* y, ptrdiff_t y_stride, int rows, int columns);
void pixel_row(const PixelRow&);
void strassen_pixel_sums(const Quarters&);
void strassen_weight_sums(const Quarters&);
void strassen_last_quarter(const LastQuarter&);
void winograd_input(const WinogradInput&);
void winograd_output(const WinogradOutput&);
void requantize(const float* x, float factor, uint8_t* y, int64_t count, const Requantization&);
void gate_codes(const GateRun&);
void mix_codes(const MixCodes&);
void max_pool_codes(const PoolRows<uint8_t>&);
void look_up_codes(const uint8_t* x, const uint8_t* table, uint8_t* y, int64_t count);
template <typename T>
void quantize(const T* x, uint8_t* y, int64_t count, float scale, int32_t zero_point);
template <typename T>
void dequantize(const uint8_t* x, T* y, int64_t count, float scale, int32_t zero_point);

/// Depthwise layers go through wide rows by strips, so that the input rows that neighbouring output rows share are
/// still in the cache.
inline constexpr int kStripColumns = 32;

/// A number that a generic lambda has as a constant.
template <int n>
struct Number {
  static constexpr int value = n;
};

template <Activation a>
struct Constant {
  static constexpr Activation value = a;
};

/// Calls f with the activation as a constant, so that f's loops hold no switch.
template <int32_t candidate = 0, int32_t end = kFusedActivations, typename F>
EFFDET_INLINE void with_activation(Activation activation, F&& f) {
  if (activation == Activation{candidate}) return f(Constant<Activation{candidate}>{});
  if constexpr (candidate + 1 < end) with_activation<candidate + 1, end>(activation, f);
}

/// values[i] = activation(values[i]).
template <typename Out>
__attribute__((noinline)) static void apply_to_all(Activation activation, Vec* values, int count) {
  for (int i = 0; i < count; ++i) values[i] = apply<Out>(activation, values[i]);
}

/// The same for f that stores the first `height` rows of sums: activations that few networks have are applied before,
/// and f sees none. A copy of an unrolled f for each of them would be most of what there is to compile.
template <typename Out, int height, int rows, int columns, typename F>
EFFDET_INLINE void with_activation_of(Vec (&sums)[rows][columns], Activation activation, F&& f) {
  constexpr int32_t kUsual = static_cast<int32_t>(Activation::kRelu6) + 1;
  if (static_cast<int32_t>(activation) >= kUsual) {
    Vec values[height][columns];  // a copy: sums whose address is known would not stay in registers
#pragma GCC unroll 16
    for (int i = 0; i < height; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < columns; ++j) values[i][j] = sums[i][j];
    apply_to_all<Out>(activation, values[0], height * columns);
#pragma GCC unroll 16
    for (int i = 0; i < height; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < columns; ++j) sums[i][j] = values[i][j];
    activation = Activation::kNone;
  }
  with_activation<0, kUsual>(activation, f);
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
