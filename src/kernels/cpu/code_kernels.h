// What kernels on maps of 8-bit codes (ops/fused/requantize.h) tell the code for an instruction set: depthwise layers,
// gates, weighted sums. A part of micro_kernels.h, whose rules hold here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/activation.h"
#include "ops/fused/mix_inputs.h"

namespace effdet::kernels::cpu {

struct Requantization;

/// How an instruction set takes depthwise layers on codes. Neighbouring input rows go `taps` by `taps`: a lane of 32
/// bits has so many of a channel, and is multiplied by so many weights, int8 for 4 taps and int16 for 2. Channels go in
/// vectors of `lanes`: four of them make a wide unit of neighbouring channels, one a narrow one.
struct CodeTaps {
  int taps, lanes;
  bool has_narrow;
};

/// Rows of output that are computed together, because they share input rows: windows of 3 or 5 on a side, strides of 1
/// or 2. Others go one by one.
constexpr bool is_shared_window(int kernel_height, int kernel_width, int stride_y, int stride_x) {
  return kernel_height == kernel_width && stride_y == stride_x && (kernel_width == 3 || kernel_width == 5) &&
         (stride_x == 1 || stride_x == 2);
}
constexpr int rows_together(int kernel, int stride) { return kernel == 3 && stride == 2 ? 1 : 2; }
/// Groups of `taps` input rows under so many rows of output.
constexpr int tap_groups(int kernel_height, int stride, int rows, int taps) {
  return ((rows - 1) * stride + kernel_height + taps - 1) / taps;
}

/// Rows of a depthwise convolution of codes by int8 weights, NHWC, one image, all channels.
struct DepthwiseCodes {
  const uint8_t* x;  ///< [in_height][in_width][channels]
  void* y;           ///< the row 0 of the output: codes, floats or bfloat16
  /// By vectors of channels; a channel that is none has zeros.
  const int32_t* weights;   ///< [vectors][groups][rows together][kernel_width][lanes], `taps` weights each
  const int32_t* start;     ///< [vectors][lanes]: the sums begin with the bias less what the zero point adds
  const float* multiplier;  ///< [vectors][lanes]: of sums
  uint32_t* sums;           ///< [vectors][lanes]: the sum of the codes of y is added; null where nobody wants it
  int wide, narrow;         ///< units; wide ones first, the last one of a kind may be partial
  int in_height, in_width, out_width, channels;
  int kernel_height, kernel_width, stride_y, stride_x, pad_top, pad_left;
  int row_begin, row_end;                ///< of the output
  int32_t zero_point;                    ///< of x
  const Requantization* requantization;  ///< of codes
  Activation activation;                 ///< of floats
};

/// What an instruction set does with depthwise layers on codes.
struct CodeDepthwise {
  CodeTaps taps;
  void (*to_codes)(const DepthwiseCodes&);
  void (*to_floats)(const DepthwiseCodes&);
  void (*to_bf16)(const DepthwiseCodes&);
};
namespace avx512_vnni {
extern const CodeDepthwise kCodeDepthwise;  ///< avx512_bf16 has them too
}
namespace avx512 {
extern const CodeDepthwise kCodeDepthwise;
}
namespace avx_vnni {
extern const CodeDepthwise kCodeDepthwise;
}
namespace avx2 {
extern const CodeDepthwise kCodeDepthwise;
}
namespace sse2 {
extern const CodeDepthwise kCodeDepthwise;
}

/// Codes times factors of their channels (ops::GateCodes).
struct GateRun {
  const uint8_t* x;
  uint8_t* y;
  int64_t count;
  /// [period]: the channels' factors, repeated until they are whole units or one pixel's; each unit by half_place().
  const int16_t* factors;
  int64_t period;
  int16_t x_zero_point;
  int16_t added;  ///< to products: y's zero point and a half of its step
  int shift;      ///< of products to codes
};
/// Where the number of channel i stands in a unit of 4 * lanes that is widened to two halves.
constexpr int half_place(int i, int lanes) { return i % 16 / 8 * (2 * lanes) + i / 16 * 8 + i % 8; }

/// Rows of y = act(sum over i of multiplier[i] * (x[i] - zero_point[i])), every x[i] enlarged to y's size by nearest
/// neighbours; NHWC, one image.
struct MixCodes {
  const uint8_t* x[ops::kMaxMixInputs];
  float multiplier[ops::kMaxMixInputs];
  int32_t zero_point[ops::kMaxMixInputs];
  int height[ops::kMaxMixInputs], width[ops::kMaxMixInputs];  ///< of each input
  int inputs;
  uint8_t* y;
  int out_height, out_width, channels;
  int row_begin, row_end;
  const Requantization* requantization;
};

}  // namespace effdet::kernels::cpu
