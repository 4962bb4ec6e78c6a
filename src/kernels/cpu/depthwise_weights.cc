// Packs depthwise weights as vectors, or as pairs where bfloat16 is multiplied by pairs.
#include "kernels/cpu/depthwise_weights.h"

#include <algorithm>

#include "ops/fused/squeeze_excite.h"

namespace effdet::kernels::cpu {
namespace {

bool has_pairs(const ops::Window2d& w) {
  return w.kernel_height == w.kernel_width && w.stride_y == w.stride_x &&
         (w.kernel_width == 3 || w.kernel_width == 5) && (w.stride_x == 1 || w.stride_x == 2);
}

/// Rounded, [vectors of channels][output row][pair][kernel][kPanel][2]; aligned to a vector.
std::shared_ptr<Bf16[]> make_pairs(const Tensor& weights, int kernel, int stride) {
  const Tensor rounded = weights.to(DType::kBF16);
  const auto source = rounded.data<Bf16>();
  const int64_t channels = weights.dim(2), vectors = (channels + kPanel - 1) / kPanel;
  const int pairs = depthwise_pairs(kernel, stride);
  const size_t size = static_cast<size_t>(vectors * depthwise_pairs_size(kernel, stride));
  std::shared_ptr<Bf16[]> result = aligned_array<Bf16>(size);
  std::fill_n(result.get(), size, Bf16{});
  Bf16* target = result.get();
  for (int64_t vector = 0; vector < vectors; ++vector)
    for (int j = 0; j < kPairHeight; ++j)
      for (int pair = 0; pair < pairs; ++pair)
        for (int kx = 0; kx < kernel; ++kx, target += 2 * kPanel)
          for (int lane = 0; lane < 2 * kPanel; ++lane) {
            const int ky = 2 * pair + lane % 2 - j * stride;
            const int64_t channel = vector * kPanel + lane / 2;
            if (ky >= 0 && ky < kernel && channel < channels)
              target[lane] = source[static_cast<size_t>((ky * kernel + kx) * channels + channel)];
          }
  return result;
}

}  // namespace

template <typename In, typename Out>
DepthwiseWeights<In, Out>::DepthwiseWeights(const MicroKernels& micro, const ops::Window2d& window,
                                            const Tensor* weights, const Tensor* scales)
    : micro_(micro) {
  if (scales != nullptr) {
    numbers_ = ops::dequantized_matrix(*weights, *scales);
    weights = &numbers_;
  }
  if (kPair<In> == 1 || micro.depthwise_by_pairs == nullptr || weights == nullptr || !has_pairs(window)) return;
  pairs_ = make_pairs(*weights, window.kernel_width, window.stride_x);
  vector_size_ = depthwise_pairs_size(window.kernel_width, window.stride_x);
}

template <typename In, typename Out>
void DepthwiseWeights<In, Out>::run(DepthwiseRows<In, Out>& rows, const float* weights, int64_t channel) const {
  rows.weights = (numbers_.empty() ? weights : numbers_.data<float>().data()) + channel;
  if constexpr (kPair < In >> 1) {
    if (pairs_ != nullptr) {
      rows.pairs = pairs_.get() + channel / kPanel * vector_size_;
      return micro_.depthwise_by_pairs(rows);
    }
  }
  depthwise(micro_, rows);
}

template class DepthwiseWeights<float>;
template class DepthwiseWeights<float, Bf16>;
template class DepthwiseWeights<Bf16>;

}  // namespace effdet::kernels::cpu
