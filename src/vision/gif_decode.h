// GIF: its first frame.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/row_source.h"

namespace effdet::vision {

/// See open_image(). The image has the size of the screen, or of the frame where that is larger.
std::unique_ptr<RowSource> open_gif(std::span<const std::byte> bytes, std::string_view name);
ImageSize read_gif_size(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
