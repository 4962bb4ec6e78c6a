// Weights as a matrix, and the calls around the product.
#include "kernels/cuda/product.h"

namespace effdet::kernels::cuda {
namespace {

/// Columns of weights are filled up to what the fastest products want.
constexpr int64_t kColumnsTogether = 8;

}  // namespace

Product::Product(const ProductShape& shape, const Tensor& weights, const Tensor& bias, Step& owner)
    : shape_(shape),
      w_stride_((weights.dim(0) + kColumnsTogether - 1) / kColumnsTogether * kColumnsTogether),
      weights_(owner.add_constant(matrix_of(weights))),
      bias_(owner.add_constant(bias_of(bias))) {}

Tensor Product::matrix_of(const Tensor& weights) const {
  const int64_t out = weights.dim(0), in = weights.dim(1), taps = weights.dim(2) * weights.dim(3);
  Tensor matrix(DType::kF32, {taps * in, w_stride_});
  const auto from = weights.data<float>();
  const auto to = matrix.mutable_data<float>();
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t tap = 0; tap < taps; ++tap)
        to[static_cast<size_t>((tap * in + i) * w_stride_ + o)] = from[static_cast<size_t>((o * in + i) * taps + tap)];
  return matrix.to(shape_.in);
}

Tensor Product::bias_of(const Tensor& bias) const {
  const Tensor own = Tensor::from<float>({shape_.columns}, bias.data<float>());
  return shape_.to_nchw ? own : own.to(shape_.out);  // what finishes NCHW reads floats
}

int64_t Product::scratch_bytes() const {
  return shape_.gates == 0 ? 0 : shape_.images * shape_.depth * w_stride_ * static_cast<int64_t>(dtype_size(shape_.in));
}

void Product::enqueue(CudaQueue& queue, const std::byte* x, const std::byte* residual, const std::byte* gate,
                      std::byte* y, std::byte* scratch) const {
  const ProductShape& s = shape_;
  const std::byte* weights = weights_.get();
  const int64_t matrix = s.depth * w_stride_, values = s.images * s.pixels * s.columns;
  if (gate != nullptr) {
    const GateWeightsArgs args{weights,
                               reinterpret_cast<const float*>(gate),
                               scratch,
                               s.images * matrix,
                               matrix,
                               static_cast<int>(w_stride_),
                               static_cast<int>(s.depth),
                               static_cast<int>(s.gates)};
    with_type(s.in, [&](auto type) { queue.launch_each<GateWeights<decltype(type)>>(args.values, args); });
    weights = scratch;
  }
  const bool by_image = gate != nullptr || s.to_nchw;
  queue.gemm({.in = element_of(s.in),
              .out = element_of(s.out),
              .rows = by_image ? s.pixels : s.images * s.pixels,
              .columns = s.columns,
              .depth = s.depth,
              .w_stride = w_stride_,
              .batch = by_image ? s.images : 1,
              .x_step = s.pixels * s.depth,
              .w_step = gate != nullptr ? matrix : 0,
              .y_step = s.pixels * s.columns,
              .y_is_transposed = s.to_nchw,
              .x = x,
              .w = weights,
              .bias = s.to_nchw ? nullptr : bias_.get(),
              .residual = residual,
              .y = y});
  if (s.activation == Activation::kNone && !s.to_nchw) return;
  const FinishArgs finish{y,           y,        s.to_nchw ? reinterpret_cast<const float*>(bias_.get()) : nullptr,
                          values,      s.pixels, static_cast<int>(s.columns),
                          s.activation};
  with_type(s.out, [&](auto type) {
    using T = decltype(type);
    with_pack<T>(s.to_nchw ? s.pixels : values,
                 [&](auto pack) { queue.launch_each<Finish<T, pack()>>(values / pack(), finish); });
  });
}

}  // namespace effdet::kernels::cuda
