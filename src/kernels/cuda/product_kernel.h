// A plain matrix product, for shapes that cuBLASLt has no algorithm for: odd strides, mostly.
#pragma once

#include "kernels/cuda/api.h"
#include "kernels/cuda/number.h"

namespace effdet::kernels::cuda {

/// A Gemm as api.h says. Blocks: tiles of kSide rows and columns within matrices; a thread computes four sums.
template <typename TIn, typename TOut>
struct PlainProduct {
  using Args = Gemm;
  static constexpr int kSide = 32, kSums = 4, kThreads = kSide * kSide / kSums;
  static constexpr int64_t kSharedBytes = 2 * kSide * kSide * sizeof(float);

  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& g) {
    const int64_t row_tiles = (g.rows + kSide - 1) / kSide, column_tiles = (g.columns + kSide - 1) / kSide;
    const int64_t matrix = block.index() / (row_tiles * column_tiles);
    const int64_t first_row = block.index() / column_tiles % row_tiles * kSide;
    const int64_t first_column = block.index() % column_tiles * kSide;
    const TIn* x = static_cast<const TIn*>(g.x) + matrix * g.x_step;
    const TIn* w = static_cast<const TIn*>(g.w) + matrix * g.w_step;
    float* x_tile = block.template shared<float>();  // [row][k]
    float* w_tile = x_tile + kSide * kSide;          // [k][column]
    typename Block::template Local<Pack<float, kSums>> sums(block);
    block.each([&](int thread) {
      for (int i = 0; i < kSums; ++i) sums[thread].values[i] = 0;
    });
    for (int64_t k = 0; k < g.depth; k += kSide) {
      block.each([&](int thread) {
        for (int i = thread; i < kSide * kSide; i += kThreads) {
          const int line = i / kSide, place = i % kSide;
          const bool has_x = first_row + line < g.rows && k + place < g.depth;
          const bool has_w = k + line < g.depth && first_column + place < g.columns;
          x_tile[i] = has_x ? to_float(x[(first_row + line) * g.depth + k + place]) : 0;
          w_tile[i] = has_w ? to_float(w[(k + line) * g.w_stride + first_column + place]) : 0;
        }
      });
      block.each([&](int thread) {
        const int column = thread % kSide, line = thread / kSide * kSums;
        for (int i = 0; i < kSums; ++i) {
          float part = 0;  // sums of parts round less than one long sum
          for (int j = 0; j < kSide; ++j) part += x_tile[(line + i) * kSide + j] * w_tile[j * kSide + column];
          sums[thread].values[i] += part;
        }
      });
    }
    block.each([&](int thread) {
      const int64_t column = first_column + thread % kSide;
      for (int i = 0; i < kSums; ++i) {
        const int64_t row = first_row + thread / kSide * kSums + i;
        if (row < g.rows && column < g.columns) write(g, matrix, row, column, sums[thread].values[i]);
      }
    });
  }

 private:
  static EFFDET_CUDA void write(const Args& g, int64_t matrix, int64_t row, int64_t column, float sum) {
    const int64_t at = matrix * g.y_step + (g.y_is_transposed ? column * g.rows + row : row * g.columns + column);
    if (g.bias != nullptr) sum += to_float(static_cast<const TOut*>(g.bias)[column]);
    if (g.residual != nullptr) sum += to_float(static_cast<const TOut*>(g.residual)[at]);
    static_cast<TOut*>(g.y)[at] = from_float<TOut>(sum);
  }
};

}  // namespace effdet::kernels::cuda
