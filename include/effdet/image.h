// Images in memory and in files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/export.h"

namespace effdet {

/// 8-bit RGB pixels, interleaved: pixels[3 * (y * width + x) + channel], rows from top to bottom without padding.
struct RgbImage {
  int width = 0, height = 0;  ///< in pixels
  std::vector<unsigned char> pixels;
};

/// Decodes a picture to the same pixels as Pillow's Image.open(path).convert("RGB"), its first one where a file has
/// several: JPEG, PNG, BMP, GIF, PNM, and with the libraries that docs/dependencies.md names WebP, TIFF, AVIF and HEIC.
/// Its content tells the format, not its name. Throws Error(kIo), Error(kBadInput) for a damaged file,
/// Error(kUnsupported) for other formats.
EFFDET_API RgbImage read_image(const std::filesystem::path& path);
/// The same for a file in memory; name stands for it in error messages.
EFFDET_API RgbImage decode_image(std::span<const std::byte> file, std::string_view name = "image");
/// Whether a file is named as pictures that read_image() can read: by its extension, in letters of either case.
EFFDET_API bool is_image_name(const std::filesystem::path& path);
/// The extensions of such names, for messages: ".jpg, .jpeg, .png ...".
EFFDET_API std::string image_extensions();
/// Writes a JPEG (".jpg", ".jpeg") or PNG (".png") file, depending on the extension. Throws Error(kIo), and
/// Error(kUsage) for another extension or an image whose number of pixels does not match its size.
EFFDET_API void write_image(const std::filesystem::path& path, const RgbImage& image);

/// The image scaled down to fit into side x side pixels; a smaller image is returned unchanged. Throws Error(kUsage)
/// for side < 1.
EFFDET_API RgbImage thumbnail(const RgbImage& image, int side);
/// Images in a grid with `columns` columns, each scaled down to fit into cell x cell pixels, with captions below.
/// Throws Error(kUsage) for no images, columns < 1, cell < 16, or a grid that would be too large.
EFFDET_API RgbImage contact_sheet(std::span<const RgbImage> images, int columns, int cell,
                                  std::span<const std::string> captions);

}  // namespace effdet
