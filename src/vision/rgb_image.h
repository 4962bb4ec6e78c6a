// Between the public RgbImage and the library's Image.
#pragma once

#include "effdet/image.h"
#include "vision/image.h"

namespace effdet::vision {

/// The same pixels, which must outlive the result; of a constant image only to be read. Throws Error(kUsage) where the
/// pixels are not as many as the sides say.
Image image_over(RgbImage& image);
Image image_over(const RgbImage& image);
RgbImage from_image(const Image& image);

}  // namespace effdet::vision
