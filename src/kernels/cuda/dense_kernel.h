// A small dense layer of float32 for a few rows: squeeze-and-excite is two of them.
#pragma once

#include "kernels/cuda/number.h"

namespace effdet::kernels::cuda {

struct DenseArgs {
  const float* x;        ///< [rows][depth]
  const float* weights;  ///< [depth][columns]
  const float* bias;     ///< [columns]
  float* y;              ///< [rows][columns]
  int depth, columns;
  Activation activation;
};

/// y = act(x W + bias). Blocks: kColumns columns of a row, whose sums kLanes threads share, in a fixed order.
struct Dense {
  using Args = DenseArgs;
  static constexpr int kColumns = 32, kLanes = 8, kThreads = kColumns * kLanes;
  static constexpr int64_t kSharedBytes = kThreads * sizeof(float);

  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const int column_blocks = (a.columns + kColumns - 1) / kColumns;
    const int64_t row = block.index() / column_blocks;
    const int first = static_cast<int>(block.index() % column_blocks) * kColumns;
    float* all = block.template shared<float>();
    block.each([&](int thread) {
      const int column = first + thread % kColumns;
      if (column >= a.columns) return;
      float sum = 0;
      for (int k = thread / kColumns; k < a.depth; k += kLanes)
        sum += a.x[row * a.depth + k] * a.weights[int64_t{k} * a.columns + column];
      all[thread] = sum;
    });
    block.each([&](int thread) {
      const int column = first + thread;
      if (thread >= kColumns || column >= a.columns) return;
      float sum = a.bias[column];
      for (int lane = 0; lane < kLanes; ++lane) sum += all[lane * kColumns + thread];
      a.y[row * a.columns + column] = activated(a.activation, sum);
    });
  }
};

}  // namespace effdet::kernels::cuda
