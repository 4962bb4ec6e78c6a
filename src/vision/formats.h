// The formats of pictures that can be read: a row for each.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "vision/image.h"
#include "vision/row_source.h"

namespace effdet::vision {

/// How pictures of one kind are read. Functions take the content of a file and what it is called in messages; where the
/// build has no reader they are null.
struct ImageFormat {
  std::string_view kind;  ///< as content_kind() names it: "a WebP file"
  std::span<const std::string_view>
      extensions;            ///< in lower case, with the dot; of files that folders are searched for
  std::string_view library;  ///< what a build needs to read it; empty: nothing more
  std::unique_ptr<RowSource> (*open)(std::span<const std::byte> bytes, std::string_view name) = nullptr;
  ImageSize (*read_size)(std::span<const std::byte> bytes, std::string_view name) = nullptr;
  /// The EXIF orientation; null for formats that have none, or whose reader turns the picture itself.
  int (*orientation)(std::span<const std::byte> bytes) = nullptr;
};

std::span<const ImageFormat> image_formats();

/// By content. Throws Error: kUnsupported for a known kind that is not read (the message says what to do), kBadInput
/// for what is no picture.
const ImageFormat& format_of(std::span<const std::byte> bytes, std::string_view name);

}  // namespace effdet::vision
