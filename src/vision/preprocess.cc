// Letterbox and normalisation in one pass over rows, with the rounding of the reference.
#include "vision/preprocess.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "vision/resize.h"
#include "vision/sample.h"

namespace effdet::vision {
namespace {

void sampled_letterbox(RowSource& source, ImageSize size, const Preprocessing& preprocessing, std::span<float> nchw) {
  const size_t width = static_cast<size_t>(preprocessing.width), columns = static_cast<size_t>(size.width);
  const size_t plane = width * static_cast<size_t>(preprocessing.height);
  std::ranges::fill(nchw, 0.0f);
  const Normalisation scale = normalisation_of(preprocessing);
  RowSampler rows(source, size.width, size.height);
  for (int y = 0; y < size.height; ++y) {
    const std::span<const float> row = rows.next_row();
    for (size_t channel = 0; channel < 3; ++channel) {
      float* out = nchw.data() + channel * plane + static_cast<size_t>(y) * width;
      for (size_t x = 0; x < columns; ++x) out[x] = (row[3 * x + channel] - scale.mean[channel]) / scale.std[channel];
    }
  }
}

/// One row after the other of the scaled image as interleaved RGB.
class RgbRows {
 public:
  RgbRows(RowSource& source, ImageSize size, bool sampled) : width_(size.width) {
    if (sampled)
      sampler_.emplace(source, size.width, size.height);
    else
      resizer_.emplace(source, size.width, size.height, row_kernels());
  }

  void write_next(uint8_t* rgb) {
    if (resizer_) return row_kernels().interleave(resizer_->next_row(), resizer_->plane_stride(), width_, rgb);
    for (const float value : sampler_->next_row()) *rgb++ = static_cast<uint8_t>(value + 0.5f);
  }

 private:
  int width_;
  std::optional<RowResizer> resizer_;
  std::optional<RowSampler> sampler_;
};

}  // namespace

/// A product in double, rounded to float32 as torch.tensor([x * 255 for x in mean]) rounds it.
Normalisation normalisation_of(const Preprocessing& preprocessing) {
  Normalisation scales{};
  for (size_t channel = 0; channel < 3; ++channel) {
    scales.mean[channel] = static_cast<float>(preprocessing.mean[channel] * 255);
    scales.std[channel] = static_cast<float>(preprocessing.std[channel] * 255);
    row_kernels().normalise(&preprocessing.fill[channel], 1, scales.mean[channel], scales.std[channel],
                            &scales.fill[channel]);
  }
  return scales;
}

Letterbox letterbox(ImageSize image, const Preprocessing& preprocessing, std::string_view name) {
  const double down = static_cast<double>(preprocessing.height) / image.height,
               across = static_cast<double>(preprocessing.width) / image.width, scale = std::min(down, across);
  ImageSize size{static_cast<int>(image.width * scale), static_cast<int>(image.height * scale)};
  if (preprocessing.sampled && across < down) size.width = preprocessing.width;
  if (preprocessing.sampled && across >= down) size.height = preprocessing.height;
  if (size.width < 1 || size.height < 1)
    bad_input("{}: an image of {} x {} pixels would be {} x {} in an input of {} x {}: too narrow to detect anything",
              name, image.width, image.height, size.width, size.height, preprocessing.width, preprocessing.height);
  return {scale, size};
}

double letterbox_to_tensor(const Image& image, const Preprocessing& preprocessing, std::span<float> nchw) {
  PixelRows source(image);
  return letterbox_to_tensor(source, preprocessing, nchw);
}

double letterbox_to_tensor(RowSource& source, const Preprocessing& preprocessing, std::span<float> nchw) {
  const auto [scale, size] = letterbox(source.size(), preprocessing, source.name());
  const size_t width = static_cast<size_t>(preprocessing.width);
  const size_t plane = width * static_cast<size_t>(preprocessing.height);
  if (nchw.size() != 3 * plane)
    fail(ErrorCode::kInternal, "{} floats for an input of 3 x {} x {}", nchw.size(), preprocessing.height, width);
  if (preprocessing.sampled) {
    sampled_letterbox(source, size, preprocessing, nchw);
    source.finish();
    return scale;
  }
  const RowKernels& kernels = row_kernels();
  const Normalisation scales = normalisation_of(preprocessing);
  RowResizer rows(source, size.width, size.height, kernels);
  for (int y = 0; y < size.height; ++y) {
    const uint8_t* planes = rows.next_row();
    for (size_t channel = 0; channel < 3; ++channel) {
      float* out = nchw.data() + channel * plane + static_cast<size_t>(y) * width;
      kernels.normalise(planes + static_cast<ptrdiff_t>(channel) * rows.plane_stride(), size.width,
                        scales.mean[channel], scales.std[channel], out);
      std::fill(out + size.width, out + width, scales.fill[channel]);
    }
  }
  source.finish();
  for (size_t channel = 0; channel < 3; ++channel)
    std::fill(nchw.data() + channel * plane + static_cast<size_t>(size.height) * width,
              nchw.data() + (channel + 1) * plane, scales.fill[channel]);
  return scale;
}

double letterbox_to_rgb(RowSource& source, const Preprocessing& preprocessing, uint8_t* rgb, ptrdiff_t row_bytes) {
  const auto [scale, size] = letterbox(source.size(), preprocessing, source.name());
  const auto paint = [&](uint8_t* begin, uint8_t* end) {
    for (uint8_t* pixel = begin; pixel < end; pixel += 3) std::copy_n(preprocessing.fill.data(), 3, pixel);
  };
  const ptrdiff_t filled = 3 * ptrdiff_t{preprocessing.width};
  RgbRows rows(source, size, preprocessing.sampled);
  for (int y = 0; y < preprocessing.height; ++y, rgb += row_bytes) {
    if (y < size.height) {
      rows.write_next(rgb);
      paint(rgb + 3 * ptrdiff_t{size.width}, rgb + filled);
    } else if (y == size.height) {
      paint(rgb, rgb + filled);
    } else {
      std::copy_n(rgb - row_bytes, filled, rgb);
    }
  }
  source.finish();
  return scale;
}

Image letterbox_to_image(const Image& image, const Preprocessing& preprocessing, double* scale) {
  Image canvas(preprocessing.width, preprocessing.height);
  PixelRows source(image);
  const double made =
      letterbox_to_rgb(source, preprocessing, canvas.row(0), static_cast<ptrdiff_t>(canvas.row_bytes()));
  if (scale) *scale = made;
  return canvas;
}

}  // namespace effdet::vision
