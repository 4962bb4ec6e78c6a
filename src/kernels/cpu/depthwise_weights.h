// The weights of a depthwise layer as its micro-kernel wants them.
#pragma once

#include <memory>

#include "kernels/cpu/depthwise_rows.h"
#include "kernels/cpu/typed.h"

namespace effdet::kernels::cpu {

/// With bfloat16, where the micro-kernels have products of pairs, these and weights of its own for them, which are
/// rounded and made once; otherwise the step's. int8 weights with scales are made numbers once.
template <typename In, typename Out = In>
class DepthwiseWeights {
 public:
  /// weights: the step's [kernel_height][kernel_width][channels], null where they are no constant. scales: of the
  /// channels, of weights that are int8 (both are constants); null for others.
  DepthwiseWeights(const MicroKernels& micro, const ops::Window2d& window, const Tensor* weights,
                   const Tensor* scales = nullptr);

  /// Convolves a rectangle; the caller has set all but `weights` and `pairs`. `weights` is the step's input, `channel`
  /// where the rectangle's channels begin, a multiple of kPanel.
  void run(DepthwiseRows<In, Out>& rows, const float* weights, int64_t channel) const;

 private:
  const MicroKernels& micro_;
  int64_t vector_size_ = 0;  // values of `pairs_` a vector of channels
  std::shared_ptr<Bf16[]> pairs_;
  Tensor numbers_;  // of int8 weights
};

}  // namespace effdet::kernels::cpu
