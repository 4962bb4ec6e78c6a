// How an image file says that its pixels are to be turned for display (the EXIF tag Orientation).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// The orientation that the EXIF data of a JPEG or PNG file tell, 1 to 8 as the EXIF standard numbers them; 1, upright,
/// where they tell none or make no sense.
int jpeg_orientation(std::span<const std::byte> bytes);
int png_orientation(std::span<const std::byte> bytes);
/// The same of EXIF data themselves, which are laid out as a TIFF file.
int exif_orientation(std::string_view data);

/// Whether turning exchanges width and height.
constexpr bool swaps_sides(int orientation) { return orientation >= 5; }

/// The image as it is to be seen: Pillow's ImageOps.exif_transpose(). stored must be new; its first row is given when
/// all of stored is read, and memory is that of one image. Precondition: orientation in 1..8.
std::unique_ptr<RowSource> upright(std::unique_ptr<RowSource> stored, int orientation);

}  // namespace effdet::vision
