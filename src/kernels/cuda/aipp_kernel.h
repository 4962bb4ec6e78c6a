// Preprocessing inside of the model: bytes of a picture, or of a camera, become float planes. What ops/aipp.h means.
#pragma once

#include "kernels/cuda/number.h"

namespace effdet::kernels::cuda {

/// A channel's samples of an image: at base + row * row_step + column * column_step; chroma of half as many rows and
/// columns.
struct CameraPlane {
  int64_t base;
  int row_step, column_step;
  int32_t is_chroma;
};

struct CameraArgs {
  const uint8_t* in;            ///< [images][image_bytes]
  float* out;                   ///< [images][channels][height][width]
  int64_t image_bytes, pixels;  ///< pixels of all outputs
  CameraPlane planes[3];
  int channels, height, width;  ///< of the output
  int crop_top, crop_left, crop_height, crop_width, pad_top, pad_left;
  float padding_value;
  int32_t converts;
  int matrix[9], input_bias[3], output_bias[3], mean[3];
  float min[3], scale[3];
};

/// A thread for each pixel of the output.
struct CameraPixels {
  using Args = CameraArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    block.each([&](int thread) {
      const int64_t at = block.index() * block.threads() + thread, plane = int64_t{a.height} * a.width;
      if (at >= a.pixels) return;
      const int64_t image = at / plane;
      const int row = static_cast<int>(at % plane / a.width) - a.pad_top,
                column = static_cast<int>(at % a.width) - a.pad_left;
      float* out = a.out + image * a.channels * plane + at % plane;
      if (row < 0 || row >= a.crop_height || column < 0 || column >= a.crop_width) {
        for (int k = 0; k < a.channels; ++k) out[k * plane] = a.padding_value;
        return;
      }
      int64_t pixel[3];
      for (int k = 0; k < 3; ++k) pixel[k] = sample(a, image, a.planes[k], a.crop_top + row, a.crop_left + column);
      if (a.converts != 0) convert(a, pixel);
      for (int k = 0; k < a.channels; ++k)
        out[k * plane] = (static_cast<float>(pixel[k] - a.mean[k]) - a.min[k]) * a.scale[k];
    });
  }

 private:
  static EFFDET_CUDA int64_t sample(const Args& a, int64_t image, const CameraPlane& p, int row, int column) {
    if (p.is_chroma != 0) {
      row /= 2;
      column /= 2;
    }
    return a.in[image * a.image_bytes + p.base + int64_t{row} * p.row_step + int64_t{column} * p.column_step];
  }

  static EFFDET_CUDA void convert(const Args& a, int64_t (&pixel)[3]) {
    int64_t out[3];
    for (int i = 0; i < 3; ++i) {
      int64_t sum = 0;
      for (int j = 0; j < 3; ++j) sum += a.matrix[3 * i + j] * (pixel[j] - a.input_bias[j]);
      const int64_t value = (sum >> 8) + a.output_bias[i];
      out[i] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
    for (int i = 0; i < 3; ++i) pixel[i] = out[i];
  }
};

}  // namespace effdet::kernels::cuda
