// How a picture file says that its pixels are to be turned for display (the EXIF tag Orientation).
#pragma once

#include <cstddef>
#include <span>

#include "vision/image.h"

namespace effdet {

/// The orientation that a JPEG's or PNG's EXIF data tell, 1 to 8 as the EXIF standard numbers them; 1, upright, where
/// they tell none or make no sense.
int exif_orientation(std::span<const std::byte> bytes);

/// Whether turning exchanges width and height.
constexpr bool swaps_sides(int orientation) { return orientation >= 5; }

/// The picture as it is to be seen: Pillow's ImageOps.exif_transpose(). Precondition: orientation in 1..8.
Image upright(const Image& image, int orientation);

}  // namespace effdet
