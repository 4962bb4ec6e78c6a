// Weights into panels and pairs, and back.
#include "ops/fused/packing.h"

#include "ops/fused/layout.h"

namespace effdet::ops {

namespace {

/// Calls copy(packed, unpacked) with the flat indices of every weight of OIHW [out, in, taps] in panels of `depth`
/// rows, `together` of which lie side by side.
template <typename F>
void for_weights(int64_t out, int64_t in, int64_t taps, int64_t depth, int64_t together, F&& copy) {
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t row = t * in + i;
        const int64_t group = o / kPanelChannels * depth + row / together * together;
        copy(static_cast<size_t>(group * kPanelChannels + o % kPanelChannels * together + row % together),
             static_cast<size_t>((o * in + i) * taps + t));
      }
}

template <typename T>
Tensor packed_as(const Tensor& weights, DType dtype) {
  const int64_t out = weights.dim(0), in = weights.dim(1), taps = weights.dim(2) * weights.dim(3);
  const int64_t depth = padded_depth(taps * in, dtype);
  Tensor packed(dtype, {panel_count(out), depth, kPanelChannels});
  const auto source = weights.data<T>();
  const auto target = packed.mutable_data<T>();
  for_weights(out, in, taps, depth, rows_together(dtype), [&](size_t to, size_t from) { target[to] = source[from]; });
  return packed;
}

template <typename T>
Tensor unpacked_as(const Tensor& packed, DType dtype, const Shape& shape) {
  Tensor weights(dtype, shape);
  const auto source = packed.data<T>();
  const auto target = weights.mutable_data<T>();
  for_weights(shape[0], shape[1], shape[2] * shape[3], packed.dim(1), rows_together(dtype),
              [&](size_t from, size_t to) { target[to] = source[from]; });
  return weights;
}

}  // namespace

Tensor pack_conv_weights(const Tensor& weights) {
  if (weights.dtype() == DType::kI8) return packed_as<int8_t>(weights, DType::kI8);
  return packed_as<float>(weights, DType::kF32);
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

Tensor pack_narrow(const Tensor& panels, DType dtype) {
  return dtype == DType::kBF16 ? pack_pairs(panels) : panels.to(dtype);
}

Tensor unpack_conv_weights(const Tensor& packed, int64_t in, int64_t out, int64_t kernel_height, int64_t kernel_width) {
  const Shape shape{out, in, kernel_height, kernel_width};
  if (packed.dtype() == DType::kI8) return unpacked_as<int8_t>(packed, DType::kI8, shape);
  if (packed.dtype() == DType::kBF16) return unpacked_as<float>(unpack_pairs(packed), DType::kF32, shape);
  return unpacked_as<float>(packed.to(DType::kF32), DType::kF32, shape);
}

Tensor pack_depthwise_weights(const Tensor& weights) {
  const Dims as_image{1, weights.dim(0), weights.dim(2), weights.dim(3)};
  const Tensor floats = weights.to(DType::kF32).reshaped(as_image.shape(Layout::kPlain));
  return to_nhwc(floats).reshaped({as_image.height, as_image.width, as_image.channels}).to(weights.dtype());
}

Tensor unpack_depthwise_weights(const Tensor& packed) {
  const Dims as_image{1, packed.dim(2), packed.dim(0), packed.dim(1)};
  const Tensor floats = packed.to(DType::kF32).reshaped(as_image.shape(Layout::kNhwc));
  return to_nchw(floats).reshaped({as_image.channels, 1, as_image.height, as_image.width}).to(packed.dtype());
}

}  // namespace effdet::ops
