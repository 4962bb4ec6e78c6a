// Weights into panels and pairs, and back.
#include "ops/fused/packing.h"

#include "ops/fused/layout.h"

namespace effdet::ops {

Tensor pack_conv_weights(const Tensor& weights) {
  const int64_t out = weights.dim(0), in = weights.dim(1), taps = weights.dim(2) * weights.dim(3);
  const int64_t panels = panel_count(out);
  Tensor packed(DType::kF32, {panels, taps * in, kPanelChannels});
  const auto source = weights.data<float>();
  const auto target = packed.mutable_data<float>();
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t row = (o / kPanelChannels) * taps * in + t * in + i;
        target[static_cast<size_t>(row * kPanelChannels + o % kPanelChannels)] =
            source[static_cast<size_t>((o * in + i) * taps + t)];
      }
  return packed;
}

Tensor pack_pairs(const Tensor& panels) {
  const int64_t count = panels.dim(0), depth = panels.dim(1), padded = padded_depth(depth, DType::kBF16);
  const Tensor rounded = panels.to(DType::kBF16);
  const auto source = rounded.data<Bf16>();
  Tensor pairs(DType::kBF16, {count, padded, kPanelChannels});
  const auto target = pairs.mutable_data<Bf16>();
  for (int64_t row = 0; row < count * depth; ++row)
    for (int64_t lane = 0; lane < kPanelChannels; ++lane) {
      const int64_t panel = row / depth, k = row % depth;
      target[static_cast<size_t>(((panel * padded + k / 2 * 2) * kPanelChannels) + 2 * lane + k % 2)] =
          source[static_cast<size_t>(row * kPanelChannels + lane)];
    }
  return pairs;
}

Tensor unpack_pairs(const Tensor& pairs) {
  Tensor panels(DType::kBF16, pairs.shape());
  const auto source = pairs.data<Bf16>();
  const auto target = panels.mutable_data<Bf16>();
  for (size_t i = 0; i < source.size(); ++i) {
    const size_t lanes = static_cast<size_t>(kPanelChannels), pair = i / (2 * lanes), lane = i / 2 % lanes;
    target[(2 * pair + i % 2) * lanes + lane] = source[i];
  }
  return panels.to(DType::kF32);
}

Tensor unpack_conv_weights(const Tensor& packed, int64_t in, int64_t out, int64_t kernel_height, int64_t kernel_width) {
  if (packed.dtype() == DType::kBF16)
    return unpack_conv_weights(unpack_pairs(packed), in, out, kernel_height, kernel_width);
  const int64_t taps = kernel_height * kernel_width;
  Tensor weights(DType::kF32, {out, in, kernel_height, kernel_width});
  const auto source = packed.data<float>();
  const auto target = weights.mutable_data<float>();
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t row = (o / kPanelChannels) * packed.dim(1) + t * in + i;
        target[static_cast<size_t>((o * in + i) * taps + t)] =
            source[static_cast<size_t>(row * kPanelChannels + o % kPanelChannels)];
      }
  return weights;
}

Tensor pack_depthwise_weights(const Tensor& weights) {
  const Dims as_image{1, weights.dim(0), weights.dim(2), weights.dim(3)};
  return to_nhwc(weights.reshaped(as_image.shape(Layout::kPlain)))
      .reshaped({as_image.height, as_image.width, as_image.channels});
}

Tensor unpack_depthwise_weights(const Tensor& packed) {
  const Dims as_image{1, packed.dim(2), packed.dim(0), packed.dim(1)};
  return to_nchw(packed.reshaped(as_image.shape(Layout::kNhwc)))
      .reshaped({as_image.channels, 1, as_image.height, as_image.width});
}

}  // namespace effdet::ops
