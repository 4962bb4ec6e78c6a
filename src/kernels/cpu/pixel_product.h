// What convolutions do with rows of pixels: multiply them by packed weights, into an NHWC or an NCHW map.
#pragma once

#include "kernels/cpu/micro_kernels.h"
#include "ops/fused.h"

namespace effdet::kernels::cpu {

/// A matrix of pixels: `row` floats between pixels, `step` between the values of one.
struct Pixels {
  const float* data;
  ptrdiff_t row, step;
};

/// Pixels times weights. NCHW output changes the sides: weights times packed pixels, so that C's rows, one an output
/// channel, are written as they lie.
class PixelProduct {
 public:
  /// depth: values of a row of pixels; out: the output map, which lies NCHW where nchw says so.
  PixelProduct(const MicroKernels& micro, int64_t depth, const ops::Dims& out, bool nchw, Activation activation)
      : micro_(micro), depth_(depth), out_(out), nchw_(nchw), activation_(activation) {}

  /// Floats that run() needs for so many rows.
  size_t scratch_floats(int64_t rows) const;

  /// What a run works on, beside its pixels.
  struct Maps {
    const float* weights;   ///< panels of [depth][kPanel]
    const float* bias;      ///< padded to whole panels
    const float* residual;  ///< as output, of the same image; null for none
    float* output;          ///< of one image
  };
  /// `rows` pixels of depth values become output pixels [pixel, pixel + rows), output channels [column, column +
  /// columns); column is a multiple of kPanel. NCHW output takes pixels with a step of 1 alone.
  void run(const Pixels& pixels, int64_t pixel, int64_t rows, int64_t column, int64_t columns, const Maps& maps,
           float* scratch) const;

 private:
  void run_nchw(const Pixels& pixels, int64_t rows, int64_t columns, const float* weights, const float* bias, float* c,
                float* packed) const;

  const MicroKernels& micro_;
  int64_t depth_;
  ops::Dims out_;
  bool nchw_;
  Activation activation_;
};

}  // namespace effdet::kernels::cpu
