// The matrix product inside of a step: pixels by weights, with what goes into the weights before it and follows the
// sums.
#pragma once

#include "base/activation.h"
#include "kernels/cuda/step.h"
#include "kernels/cuda/typed.h"

namespace effdet::kernels::cuda {

/// y = act((x * gate) w + bias + residual) for the pixels of a map.
struct ProductShape {
  int64_t images, pixels;  ///< pixels of an image
  int64_t depth, columns;  ///< values of a row of x, output channels
  int64_t gates = 0;       ///< of an image, which take turns over the depth; 0: no gate
  bool to_nchw = false;    ///< or else NHWC; without residual and gate then
  DType in = DType::kF32, out = DType::kF32;
  Activation activation = Activation::kNone;
};

class Product {
 public:
  /// weights: OIHW; bias: at least `columns` values. owner: the step, whose constants they become.
  Product(const ProductShape& shape, const Tensor& weights, const Tensor& bias, Step& owner);

  /// Scratch that gated weights take.
  int64_t scratch_bytes() const;
  void enqueue(CudaQueue& queue, const std::byte* x, const std::byte* residual, const std::byte* gate, std::byte* y,
               std::byte* scratch) const;

 private:
  /// [depth][w_stride] of the type of x.
  Tensor matrix_of(const Tensor& weights) const;
  Tensor bias_of(const Tensor& bias) const;

  ProductShape shape_;
  int64_t w_stride_;
  const DeviceConstant &weights_, &bias_;
};

}  // namespace effdet::kernels::cuda
