#include "vision/preprocess.h"

#include <algorithm>

#include "base/error.h"
#include "vision/resize.h"

namespace effdet {
namespace {

/// Mean and divisor of one channel in units of samples: a product in double, rounded to float32 as
/// torch.tensor([x * 255 for x in mean]) rounds it.
struct ChannelScale {
  float mean, std;
};

ChannelScale channel_scale(const Preprocessing& preprocessing, size_t channel) {
  return {static_cast<float>(preprocessing.mean[channel] * 255), static_cast<float>(preprocessing.std[channel] * 255)};
}

}  // namespace

Letterbox letterbox(ImageSize image, const Preprocessing& preprocessing) {
  const double scale = std::min(static_cast<double>(preprocessing.height) / image.height,
                                static_cast<double>(preprocessing.width) / image.width);
  const ImageSize size{static_cast<int>(image.width * scale), static_cast<int>(image.height * scale)};
  if (size.width < 1 || size.height < 1)
    bad_input("an image of {} x {} pixels would be {} x {} in an input of {} x {}: too narrow to detect anything",
              image.width, image.height, size.width, size.height, preprocessing.width, preprocessing.height);
  return {scale, size};
}

double letterbox_to_tensor(const Image& image, const Preprocessing& preprocessing, std::span<float> nchw) {
  const auto [scale, size] = letterbox(image.size(), preprocessing);
  const size_t width = static_cast<size_t>(preprocessing.width);
  const size_t plane = width * static_cast<size_t>(preprocessing.height);
  if (nchw.size() != 3 * plane)
    fail(ErrorCode::kInternal, "{} floats for an input of 3 x {} x {}", nchw.size(), preprocessing.height, width);
  const RowKernels& kernels = row_kernels();
  std::array<ChannelScale, 3> scales;
  for (size_t channel = 0; channel < 3; ++channel) scales[channel] = channel_scale(preprocessing, channel);
  std::array<float, 3> fill;
  for (size_t channel = 0; channel < 3; ++channel)
    kernels.normalise(&preprocessing.fill[channel], 1, scales[channel].mean, scales[channel].std, &fill[channel]);

  RowResizer rows(image, size.width, size.height, kernels);
  for (int y = 0; y < size.height; ++y) {
    const uint8_t* planes = rows.next_row();
    for (size_t channel = 0; channel < 3; ++channel) {
      float* out = nchw.data() + channel * plane + static_cast<size_t>(y) * width;
      kernels.normalise(planes + static_cast<ptrdiff_t>(channel) * rows.plane_stride(), size.width,
                        scales[channel].mean, scales[channel].std, out);
      std::fill(out + size.width, out + width, fill[channel]);
    }
  }
  for (size_t channel = 0; channel < 3; ++channel)
    std::fill(nchw.data() + channel * plane + static_cast<size_t>(size.height) * width,
              nchw.data() + (channel + 1) * plane, fill[channel]);
  return scale;
}

Image letterbox_to_image(const Image& image, const Preprocessing& preprocessing, double* scale) {
  const Letterbox box = letterbox(image.size(), preprocessing);
  if (scale) *scale = box.scale;
  const Image resized = resize_bilinear(image, box.size.width, box.size.height);
  Image canvas(preprocessing.width, preprocessing.height);
  const uint8_t fill[3] = {preprocessing.fill[0], preprocessing.fill[1], preprocessing.fill[2]};
  canvas.fill(0, 0, canvas.width(), canvas.height(), fill);
  for (int y = 0; y < resized.height(); ++y) std::copy_n(resized.row(y), resized.row_bytes(), canvas.row(y));
  return canvas;
}

}  // namespace effdet
