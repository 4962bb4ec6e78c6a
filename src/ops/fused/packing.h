// Weights of fused operators as kernels read them, and back.
#pragma once

#include "base/tensor.h"
#include "ops/panel.h"

namespace effdet::ops {

constexpr int64_t panel_count(int64_t channels) { return (channels + kPanelChannels - 1) / kPanelChannels; }
/// Channels with those that fill up the last panel.
constexpr int64_t padded_to_panels(int64_t channels) { return panel_count(channels) * kPanelChannels; }

/// Rows of a panel of weights of such a type that lie side by side, as one instruction multiplies them: bfloat16 goes
/// by pairs, int8 by fours.
constexpr int64_t rows_together(DType weights) { return weights == DType::kBF16 ? 2 : weights == DType::kI8 ? 4 : 1; }
/// Rows of a panel with those that fill up the last such group.
constexpr int64_t padded_depth(int64_t depth, DType weights) {
  const int64_t group = rows_together(weights);
  return (depth + group - 1) / group * group;
}

/// OIHW weights [o, i, kh, kw] as panels [ceil(o / 16)][kh * kw * i][16], zero-padded; and back.
/// (i: input channels of a group.) Weights of int8 go by fours of rows: [ceil(o / 16)][ceil(kh * kw * i / 4)][16][4].
Tensor pack_conv_weights(const Tensor& weights);
Tensor unpack_conv_weights(const Tensor& packed, int64_t channels_in, int64_t channels_out, int64_t kernel_height,
                           int64_t kernel_width);
/// Panels [p, k, 16] as bfloat16 [p, k rounded up to pairs, 16], where the two values of a pair of k lie side by side
/// ([p][k / 2][16][2]); and back, with the padding.
Tensor pack_pairs(const Tensor& panels);
Tensor unpack_pairs(const Tensor& pairs);
/// Panels of float32 as they are for maps of a type of 16 bits: pairs of bfloat16, or the same panels of float16.
Tensor pack_narrow(const Tensor& panels, DType dtype);
/// Depthwise weights [c, 1, kh, kw] as [kh, kw, c], and back.
Tensor pack_depthwise_weights(const Tensor& weights);
Tensor unpack_depthwise_weights(const Tensor& packed);

}  // namespace effdet::ops
