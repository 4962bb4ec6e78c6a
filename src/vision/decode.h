// Image files to pixels, as Pillow reads them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "vision/image.h"
#include "vision/row_source.h"

namespace effdet::vision {

/// The rows of a picture, whose format is recognised by its content and not by its name (formats.h). Bit for bit what
/// Pillow 13 gives for Image.open(path).convert("RGB"): the EXIF orientation is not applied, alpha and tRNS are
/// dropped, CMYK is taken as inverted in JPEG, 16-bit grey is clipped at 255 while 16-bit colour keeps its high byte.
/// Of several pictures in a file it is the first. What Pillow refuses is refused. HEIC, which Pillow does not read,
/// comes upright. Memory is that of the file and some rows; of an interlaced PNG, GIF, WebP, AVIF and HEIC an image,
/// and of a JPEG in several scans two bytes a sample, from the first row on. Threads take large memory of that kind one
/// after the other (MemoryGate). Throws Error(kIo), Error(kBadInput), and Error(kUnsupported) for other formats and for
/// lossless and 12-bit JPEG: here what the header shows, and with the rows what they show.
std::unique_ptr<RowSource> open_image(const std::filesystem::path& path);
/// The same, and the orientation of the file, as image_orientation() tells it.
std::unique_ptr<RowSource> open_image(const std::filesystem::path& path, int& orientation);
/// The same from memory, which must outlive the source; name stands for the file in messages.
std::unique_ptr<RowSource> open_image(std::span<const std::byte> bytes, std::string_view name);

/// All pixels of an image.
Image decode_image(const std::filesystem::path& path);
Image decode_image(std::span<const std::byte> bytes, std::string_view name);

/// The size that the header tells, without decoding. Throws as open_image() does for what it has looked at.
ImageSize read_image_size(const std::filesystem::path& path);
ImageSize read_image_size(std::span<const std::byte> bytes, std::string_view name);

/// How a picture must be turned to be seen upright: 1 to 8 as EXIF numbers it, 1 where nothing is told.
int image_orientation(std::span<const std::byte> bytes);

}  // namespace effdet::vision
