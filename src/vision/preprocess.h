// From an image to the tensor that the network takes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vision/image.h"
#include "vision/row_source.h"

namespace effdet::vision {

/// How a model wants its input. The defaults are ImageNet's, with which most EfficientDet models were trained; mean and
/// std are fractions of 255 (doubles, because Python's are: 0.485f * 255 is another number), fill is what the letterbox
/// has beside the image.
struct Preprocessing {
  int height = 512, width = 512;
  std::array<double, 3> mean{0.485, 0.456, 0.406};
  std::array<double, 3> std{0.229, 0.224, 0.225};
  std::array<uint8_t, 3> fill{124, 116, 104};
  /// As Yet-Another-EfficientDet-Pytorch scales with OpenCV: between the four nearest pixels, without antialias and
  /// without rounding; beside the image the tensor has zeros, that is, the mean.
  bool sampled = false;
};

/// The same in float32, in units of samples: (sample - mean) / std, each operation rounded. fill is what that makes of
/// the letterbox's.
struct Normalisation {
  std::array<float, 3> mean, std, fill;
};
Normalisation normalisation_of(const Preprocessing& preprocessing);

/// Where the image lies in the letterbox: at (0, 0), resized to size. A point of the image is scale times as far
/// from the corner in the letterbox.
struct Letterbox {
  double scale = 1;
  ImageSize size;
};

/// scale = min(height / image height, width / image width), sides truncated, as effdet's ResizePad; sampled, the side
/// that decides is the letterbox's own. Throws Error(kBadInput), which begins with name, where a side becomes 0: no
/// network sees such an image, and Pillow refuses to make it.
Letterbox letterbox(ImageSize image, const Preprocessing& preprocessing, std::string_view name = "image");

/// Writes the letterboxed, normalised image as float32 planes [3][height][width]: (sample - 255 * mean) / (255 * std)
/// in float32, bit for bit as effdet's loader with Pillow and PyTorch (sampled: to rounding as OpenCV). Returns the
/// scale. The image is scaled while it is read and never in memory whole. Throws as letterbox() and reading do, and
/// Error(kInternal) where nchw has another size; what is in nchw then is no image.
double letterbox_to_tensor(RowSource& source, const Preprocessing& preprocessing, std::span<float> nchw);
double letterbox_to_tensor(const Image& image, const Preprocessing& preprocessing, std::span<float> nchw);

/// The letterboxed image before normalisation, which a device that normalises itself takes: interleaved RGB,
/// row_bytes from row to row, of which 3 x width are written. Returns the scale. Throws as letterbox() and reading do.
double letterbox_to_rgb(RowSource& source, const Preprocessing& preprocessing, uint8_t* rgb, ptrdiff_t row_bytes);
/// The same as an image of its own.
Image letterbox_to_image(const Image& image, const Preprocessing& preprocessing, double* scale = nullptr);

}  // namespace effdet::vision
