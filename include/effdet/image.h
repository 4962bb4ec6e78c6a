// Images in memory and in files.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "effdet/export.h"

namespace effdet {

/// 8-bit RGB pixels, interleaved, rows from top to bottom without gaps.
struct RgbImage {
  int width = 0, height = 0;
  std::vector<unsigned char> pixels;
};

/// Decodes a JPEG or PNG file as Pillow does. Throws Error(kBadInput), Error(kIo).
EFFDET_API RgbImage read_image(const std::filesystem::path& path);
/// Writes a JPEG (".jpg", ".jpeg") or PNG (".png"), as the name says.
EFFDET_API void write_image(const std::filesystem::path& path, const RgbImage& image);

/// The picture made to fit into side x side pixels, as contact_sheet() does; smaller ones stay as they are. Throws
/// Error(kUsage) for a side below 1.
EFFDET_API RgbImage thumbnail(const RgbImage& image, int side);
/// Pictures side by side in rows of `columns`, each fitted into cell x cell pixels, with captions.
EFFDET_API RgbImage contact_sheet(std::span<const RgbImage> images, int columns, int cell,
                                  std::span<const std::string> captions);

}  // namespace effdet
