// Reads PNG chunks: header, palette, ancillary texts within Pillow's limits, and check sums.
#include "vision/png_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>

#include "base/checked.h"
#include "base/error.h"

namespace effdet::vision {
namespace {

/// ImageFile.SAFEBLOCK and PngImagePlugin.MAX_TEXT_MEMORY of Pillow.
constexpr uint64_t kMaxInflatedText = 1 << 20;
constexpr uint64_t kMaxTextMemory = 64 * kMaxInflatedText;
/// What all texts and profiles together may inflate to, those that come to nothing included. An image has one profile;
/// Pillow inflates as many as there are.
constexpr uint64_t kMaxInflated = 2 * kMaxTextMemory;

constexpr uint8_t kPalette = 3;

struct LeastLength {
  std::string_view type;
  uint32_t length;
};

constexpr std::array kLeastLengths{LeastLength{"IHDR", 13}, LeastLength{"gAMA", 4}, LeastLength{"cHRM", 32},
                                   LeastLength{"sRGB", 1},  LeastLength{"pHYs", 9}, LeastLength{"acTL", 8},
                                   LeastLength{"fcTL", 26}};

}  // namespace

PngChunkReader::PngChunkReader(std::span<const std::byte> bytes, std::string_view name)
    : bytes_(bytes), text_(reinterpret_cast<const char*>(bytes.data()), bytes.size()), name_(name) {}

uint32_t PngChunkReader::u32(size_t offset) const {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(bytes_[offset + i]); };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

void PngChunkReader::fail_chunk(const Chunk& chunk, std::string_view what) const {
  bad_input("{}: PNG: chunk {} at offset {}: {}", name_, chunk.type, chunk.offset - 8, what);
}

/// False where the file ends or what follows is no chunk.
bool PngChunkReader::read_chunk(Chunk& chunk) {
  if (!fits(offset_, 8, bytes_.size())) return false;
  chunk = {text_.substr(offset_ + 4, 4), offset_ + 8, u32(offset_)};
  const auto legal = [](unsigned char c) { return (c < 128 && std::isalnum(c)) || c == '_'; };
  if (!std::ranges::all_of(chunk.type, legal)) return false;
  offset_ += 8;
  return true;
}

std::span<const std::byte> PngChunkReader::content(const Chunk& chunk) const {
  if (!fits(chunk.offset, chunk.length, bytes_.size())) fail_chunk(chunk, "the file ends inside");
  return bytes_.subspan(chunk.offset, chunk.length);
}

void PngChunkReader::check_crc(const Chunk& chunk) {
  const size_t end = chunk.offset + chunk.length;
  if (!fits(end, 4, bytes_.size())) fail_chunk(chunk, "the file ends before the checksum");
  const auto* covered = reinterpret_cast<const Bytef*>(text_.data() + chunk.offset - 4);
  if (crc32_z(0, covered, size_t{chunk.length} + 4) != u32(end)) fail_chunk(chunk, "wrong checksum");
}

const PngHeader& PngChunkReader::read_header() {
  for (;;) {
    Chunk chunk;
    if (!read_chunk(chunk)) bad_input("{}: PNG: no chunk at offset {} where image data should come", name_, offset_);
    if (chunk.type == "IDAT") {
      check_header(chunk);
      // Without a frame control before it the image is one more than the frames of the animation.
      if (is_animation_ && next_sequence_ == 0) ++frames_;
      pending_ = chunk;
      have_pending_ = true;
      return header_;
    }
    if (chunk.type == "CgBI")
      fail(ErrorCode::kUnsupported, "{}: a PNG for Apple's devices (chunk CgBI): convert it to JPEG or PNG", name_);
    if (chunk.type == "IEND" || chunk.type == "fdAT") fail_chunk(chunk, "comes before any image data");
    handle(chunk);
    check_crc(chunk);
    offset_ = chunk.offset + chunk.length + 4;
  }
}

std::span<const std::byte> PngChunkReader::next_image_data() {
  Chunk chunk = pending_;
  if (!have_pending_ && (!read_chunk(chunk) || (chunk.type != "IDAT" && chunk.type != "DDAT")))
    bad_input("{}: PNG: cut short: no more image data at offset {}", name_, offset_);
  have_pending_ = false;
  const size_t present = std::min<size_t>(chunk.length, bytes_.size() - chunk.offset);
  offset_ = std::min(chunk.offset + chunk.length + 4, bytes_.size());
  return bytes_.subspan(chunk.offset, present);
}

void PngChunkReader::read_trailer() {
  Chunk chunk;
  while (read_chunk(chunk)) {
    if (chunk.type == "IEND" || (chunk.type == "fcTL" && frames_ > 1)) return;
    handle(chunk);
    offset_ = std::min(chunk.offset + chunk.length + 4, bytes_.size());
  }
}

void PngChunkReader::handle(const Chunk& chunk) {
  content(chunk);
  for (const LeastLength& least : kLeastLengths)
    if (chunk.type == least.type && chunk.length < least.length) fail_chunk(chunk, "too short");
  if (chunk.type == "IHDR") return read_ihdr(chunk);
  if (chunk.type == "PLTE") return read_palette(chunk);
  if (chunk.type == "tRNS") return check_transparency(chunk);
  if (chunk.type == "tEXt") return check_text(chunk);
  if (chunk.type == "iTXt") return check_international_text(chunk);
  if (chunk.type == "acTL") {
    frames_ = u32(chunk.offset);
    is_animation_ = frames_ >= 1 && frames_ <= 1u << 31;
  }
  if (chunk.type == "fcTL") return check_frame_control(chunk);
  if (chunk.type != "iCCP" && chunk.type != "zTXt") return;
  const size_t zero = text_.substr(chunk.offset, chunk.length).find('\0');
  // Without a separator Pillow takes the first byte of a profile for the method, and a text for empty.
  if (zero != std::string_view::npos)
    check_compressed(chunk, zero + 1, chunk.type == "zTXt");
  else if (chunk.type == "iCCP")
    check_compressed(chunk, 0, false);
}

void PngChunkReader::read_ihdr(const Chunk& chunk) {
  const auto field = [&](size_t i) { return static_cast<uint8_t>(bytes_[chunk.offset + i]); };
  if (field(11) != 0) fail_chunk(chunk, "unknown filter method");
  header_.width = u32(chunk.offset);
  header_.height = u32(chunk.offset + 4);
  header_.bit_depth = field(8);
  header_.colour_type = field(9);
  header_.interlaced |= field(12) != 0;
}

void PngChunkReader::read_palette(const Chunk& chunk) {
  if (header_.colour_type != kPalette) return;
  const auto bytes = content(chunk);
  palette_entries_ = bytes.size() / 3;
  header_.palette = {};
  for (size_t i = 0; i < std::min<size_t>(palette_entries_, 256); ++i)
    for (size_t channel = 0; channel < 3; ++channel)
      header_.palette[i][channel] = static_cast<uint8_t>(bytes[3 * i + channel]);
}

/// What must be right when the image data begin, whatever chunks came and were replaced by later ones before.
void PngChunkReader::check_header(const Chunk& image_data) const {
  if (palette_entries_ > 256)
    bad_input("{}: PNG: a palette of {} entries before offset {}; 256 can be", name_, palette_entries_,
              image_data.offset - 8);
  if (partial_frame_)
    fail(ErrorCode::kUnsupported, "{}: PNG: animation whose first frame is a part of the image", name_);
}

void PngChunkReader::check_transparency(const Chunk& chunk) const {
  const bool colour = header_.colour_type == 2, grey = header_.colour_type == 0;
  if ((colour && chunk.length < 6) || (grey && chunk.length < 2)) fail_chunk(chunk, "too short");
}

void PngChunkReader::check_frame_control(const Chunk& chunk) {
  if (u32(chunk.offset) != next_sequence_++) fail_chunk(chunk, "frame out of sequence");
  const uint64_t width = u32(chunk.offset + 4), height = u32(chunk.offset + 8);
  const uint64_t x = u32(chunk.offset + 12), y = u32(chunk.offset + 16);
  if (x + width > header_.width || y + height > header_.height) fail_chunk(chunk, "frame outside the image");
  partial_frame_ = width != header_.width || height != header_.height;
}

void PngChunkReader::count_text(const Chunk& chunk, uint64_t bytes) {
  text_bytes_ += bytes;
  if (text_bytes_ > kMaxTextMemory) fail_chunk(chunk, "more text than an image may carry");
}

void PngChunkReader::check_text(const Chunk& chunk) {
  const std::string_view text = text_.substr(chunk.offset, chunk.length);
  const size_t zero = text.find('\0');
  if (zero != 0 && zero != std::string_view::npos) count_text(chunk, text.size() - zero - 1);
}

std::optional<uint64_t> PngChunkReader::inflated_size(const Chunk& chunk, std::string_view deflated) {
  std::array<uint8_t, 1 << 14> scratch;
  inflater_.start(std::as_bytes(std::span(deflated)));
  for (uint64_t size = 0; size < kMaxInflatedText;) {
    std::span<uint8_t> rest(scratch);
    const auto status = inflater_.inflate(rest);
    size += scratch.size() - rest.size();
    inflated_ += scratch.size() - rest.size();
    if (inflated_ > kMaxInflated) fail_chunk(chunk, "more to inflate than texts and profiles of an image may take");
    if (status != InflateStream::Status::kOutputFull) return status == InflateStream::Status::kBroken ? 0 : size;
  }
  if (inflater_.input_left() > 0) return std::nullopt;
  return kMaxInflatedText;
}

/// method_offset: where, in the chunk, the compression method stands; the stream follows.
void PngChunkReader::check_compressed(const Chunk& chunk, size_t method_offset, bool counts_as_text) {
  const std::string_view text = text_.substr(chunk.offset, chunk.length);
  if (method_offset >= text.size()) {
    if (counts_as_text) return;
    fail_chunk(chunk, "too short");
  }
  if (text[method_offset] != 0) fail_chunk(chunk, "unknown compression method");
  const auto size = inflated_size(chunk, text.substr(method_offset + 1));
  if (!size) fail_chunk(chunk, "inflates to more than 1 MiB");
  if (counts_as_text) count_text(chunk, *size);
}

void PngChunkReader::check_international_text(const Chunk& chunk) {
  const std::string_view text = text_.substr(chunk.offset, chunk.length);
  const size_t keyword = text.find('\0');
  if (keyword == std::string_view::npos || text.size() - keyword < 3) return;
  const size_t language = text.find('\0', keyword + 3);
  if (language == std::string_view::npos) return;
  const size_t translated = text.find('\0', language + 1);
  if (translated == std::string_view::npos) return;
  const std::string_view value = text.substr(translated + 1);
  if (text[keyword + 1] == 0) return count_text(chunk, value.size());
  if (text[keyword + 2] != 0) return;
  const auto size = inflated_size(chunk, value);
  if (!size) fail_chunk(chunk, "inflates to more than 1 MiB");
  count_text(chunk, *size);
}

}  // namespace effdet::vision
