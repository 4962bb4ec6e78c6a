// SVG to PNG, for documents that take no SVG.
#pragma once

#include <string>

namespace effdet::cli {

/// The image as a PNG file with twice the pixels a side, on the image's own background, by rsvg-convert (Debian's
/// librsvg2-bin) where it is in PATH. Empty where it is not, or cannot.
std::string rasterize(const std::string& svg);

}  // namespace effdet::cli
