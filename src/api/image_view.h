// Between the public RgbImage and the library's Image.
#pragma once

#include "effdet/detector.h"
#include "vision/image.h"

namespace effdet::api {

/// Throws Error(kUsage) where the pixels are not as many as the sides say.
Image to_image(const RgbImage& image);
RgbImage from_image(const Image& image);

}  // namespace effdet::api
