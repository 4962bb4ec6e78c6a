// The chunks of a PNG file: what stands before and after the image data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vision/inflate_stream.h"

namespace effdet::vision {

/// What the chunks before the image data tell.
struct PngHeader {
  uint32_t width = 0, height = 0;
  uint8_t bit_depth = 0, colour_type = 0;
  bool interlaced = false;
  /// RGB of every palette index; what PLTE does not set is black, as in Pillow.
  std::array<std::array<uint8_t, 3>, 256> palette{};
};

/// Reads chunks in file order, as strict and as lenient as Pillow's PngImagePlugin: checksums count before the image
/// data and not from there on, damaged ancillary chunks are refused, text that inflates to more than Pillow's limits
/// too.
class PngChunkReader {
 public:
  /// bytes begins with the PNG signature; both views must outlive the reader.
  PngChunkReader(std::span<const std::byte> bytes, std::string_view name);

  /// Reads up to the first IDAT chunk. Throws Error(kBadInput), and Error(kUnsupported) for an animation whose first
  /// frame is not the whole image.
  const PngHeader& read_header();
  /// The content of the next IDAT chunk in a row, cut where the file ends. Throws Error(kBadInput) where there is none.
  std::span<const std::byte> next_image_data();
  /// Checks what follows the image data. Throws Error(kBadInput).
  void read_trailer();

 private:
  struct Chunk {
    std::string_view type;
    size_t offset = 0;  ///< of the content
    uint32_t length = 0;
  };

  bool read_chunk(Chunk& chunk);
  [[noreturn]] void fail_chunk(const Chunk& chunk, std::string_view what) const;
  std::span<const std::byte> content(const Chunk& chunk) const;
  void check_crc(const Chunk& chunk);
  void handle(const Chunk& chunk);
  void read_ihdr(const Chunk& chunk);
  void read_palette(const Chunk& chunk);
  void check_header(const Chunk& image_data) const;
  void check_transparency(const Chunk& chunk) const;
  void check_frame_control(const Chunk& chunk);
  void check_compressed(const Chunk& chunk, size_t method_offset, bool counts_as_text);
  void check_text(const Chunk& chunk);
  void check_international_text(const Chunk& chunk);
  /// Size of what a zlib stream in a chunk inflates to, 0 for a broken one, or nothing where input is left at Pillow's
  /// limit for one text.
  std::optional<uint64_t> inflated_size(const Chunk& chunk, std::string_view deflated);
  void count_text(const Chunk& chunk, uint64_t bytes);
  uint32_t u32(size_t offset) const;

  std::span<const std::byte> bytes_;
  std::string_view text_;  ///< the same bytes, for searching
  std::string_view name_;
  size_t offset_ = 8;
  Chunk pending_;  ///< the image data chunk that next_image_data() returns first
  bool have_pending_ = false;
  PngHeader header_;
  InflateStream inflater_;
  uint64_t text_bytes_ = 0;
  uint64_t inflated_ = 0;
  uint32_t frames_ = 1;
  bool is_animation_ = false;
  uint32_t next_sequence_ = 0;
  size_t palette_entries_ = 0;
  bool partial_frame_ = false;
};

}  // namespace effdet::vision
