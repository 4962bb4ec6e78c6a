// HEIC and other HEIF files, through libheif: their primary picture.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// See open_image(); upright, since rotation, mirroring and cropping are a part of the picture there. Throws Error(kIo)
/// where libheif is not installed.
std::unique_ptr<RowSource> open_heif(std::span<const std::byte> bytes, std::string_view name);
ImageSize read_heif_size(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
