// The depthwise layer inside of a step: how its work is cut into blocks.
#pragma once

#include "kernels/cuda/step.h"
#include "kernels/cuda/typed.h"

namespace effdet::kernels::cuda {

class DepthwiseLayer {
 public:
  struct Shape {
    ops::Window2d window;
    ops::Dims in, out;
    DType type;
    Activation before = Activation::kNone, after = Activation::kNone;
    bool wants_mean = false;
  };

  explicit DepthwiseLayer(const Shape& shape);

  /// Why a window is not computed here; empty where it is.
  static std::string refuse(const Shape& shape);

  /// Scratch that the sums for the mean take.
  int64_t scratch_bytes() const;
  /// means: null where nobody wants them.
  void enqueue(CudaQueue& queue, const std::byte* x, const float* weights, const float* bias, std::byte* y,
               float* means, std::byte* scratch) const;

 private:
  Shape shape_;
  DepthwiseArgs args_{};
  int64_t channel_blocks_, shared_bytes_ = 0;
};

}  // namespace effdet::kernels::cuda
