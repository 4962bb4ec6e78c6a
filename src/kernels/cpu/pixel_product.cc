#include "kernels/cpu/pixel_product.h"

#include <algorithm>

namespace effdet::kernels::cpu {

size_t PixelProduct::scratch_floats(int64_t rows) const {
  return nchw_ ? static_cast<size_t>((rows + kPanel - 1) / kPanel * kPanel * depth_) : 0;
}

void PixelProduct::run(const Pixels& pixels, int64_t pixel, int64_t rows, int64_t column, int64_t columns,
                       const Maps& maps, float* scratch) const {
  const float *weights = maps.weights + column * depth_, *bias = maps.bias + column;
  if (nchw_) {
    float* c = maps.output + column * out_.height * out_.width + pixel;
    return run_nchw(pixels, rows, columns, weights, bias, c, scratch);
  }
  const int64_t c = pixel * out_.channels + column;
  micro_.gemm({.a = pixels.data,
               .lda = pixels.row,
               .a_step = pixels.step,
               .b = weights,
               .b_panel = depth_ * kPanel,
               .bias = bias,
               .residual = maps.residual != nullptr ? maps.residual + c : nullptr,
               .c = maps.output + c,
               .ldc = out_.channels,
               .m = static_cast<int>(rows),
               .n = static_cast<int>(columns),
               .k = static_cast<int>(depth_),
               .activation = activation_,
               .a_packed = false});
}

void PixelProduct::run_nchw(const Pixels& pixels, int64_t rows, int64_t columns, const float* weights,
                            const float* bias, float* c, float* packed) const {
  for (int64_t row = 0; row < rows; row += kPanel)
    micro_.transpose(pixels.data + row * pixels.row, pixels.row, packed + row * depth_, kPanel,
                     static_cast<int>(std::min<int64_t>(kPanel, rows - row)), static_cast<int>(depth_));
  micro_.gemm({.a = weights,
               .lda = depth_ * kPanel,
               .a_step = kPanel,
               .b = packed,
               .b_panel = depth_ * kPanel,
               .bias = bias,
               .residual = nullptr,
               .c = c,
               .ldc = out_.height * out_.width,
               .m = static_cast<int>(columns),
               .n = static_cast<int>(rows),
               .k = static_cast<int>(depth_),
               .activation = activation_,
               .a_packed = true});
}

}  // namespace effdet::kernels::cpu
