// Walks over marker segments, so that sizes and scans are known before libjpeg allocates.
#include "vision/jpeg_header.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "vision/limits.h"

namespace effdet::vision {
namespace {

constexpr uint8_t kSos = 0xDA, kDqt = 0xDB, kDhp = 0xDE, kApp0 = 0xE0, kApp14 = 0xEE, kJpegLs = 0xF7, kComment = 0xFE;

/// Markers C0..CF are frame headers, except for DHT, JPG and DAC among them; DHP has the same fields.
bool is_frame(uint8_t marker) {
  return (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) || marker == kDhp;
}

/// Whether a length and that many bytes follow the marker.
bool has_segment(uint8_t marker) {
  return (marker >= 0xC0 && marker <= 0xCF && marker != 0xC8) || (marker >= kSos && marker <= 0xEF) ||
         marker == kComment;
}

class Walker {
 public:
  Walker(std::span<const std::byte> bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  JpegHeader walk() {
    // After the SOI marker, which the caller has recognised.
    offset_ = 2;
    for (;;) {
      const uint8_t marker = next_marker();
      if (marker == kJpegLs)
        fail(ErrorCode::kUnsupported, "{}: JPEG: JPEG-LS coding (SOF55): convert it to baseline JPEG or PNG", name_);
      if (!has_segment(marker)) {
        if (marker < 0xC0) bad_input("{}: JPEG: unknown marker FF{:02X} at offset {}", name_, marker, offset_ - 2);
        continue;
      }
      const std::span<const std::byte> body = segment(marker);
      if (marker == kSos) break;
      read_segment(marker, body);
    }
    if (header_.components == 0) bad_input("{}: JPEG: a scan at offset {} before any frame header", name_, offset_);
    header_.size = checked_size(width_, height_, name_);
    return header_;
  }

 private:
  uint8_t byte(size_t offset) const { return static_cast<uint8_t>(bytes_[offset]); }

  /// The next code after FF that is neither padding nor a stuffed zero; whatever stands between is skipped.
  uint8_t next_marker() {
    while (offset_ + 1 < bytes_.size()) {
      if (byte(offset_++) != 0xFF) continue;
      while (offset_ < bytes_.size() && byte(offset_) == 0xFF) ++offset_;
      if (offset_ < bytes_.size() && byte(offset_++) != 0) return byte(offset_ - 1);
    }
    bad_input("{}: JPEG: ends at offset {} before the first scan", name_, bytes_.size());
  }

  std::span<const std::byte> segment(uint8_t marker) {
    const size_t left = bytes_.size() - offset_;
    const size_t length = left < 2 ? 0 : static_cast<size_t>(byte(offset_) << 8 | byte(offset_ + 1));
    if (left < 2 || length > left)
      bad_input("{}: JPEG: segment FF{:02X} at offset {} has {} of {} bytes", name_, marker, offset_ - 2, left, length);
    // The length counts itself; libjpeg and Pillow take a smaller one for an empty segment.
    const size_t whole = std::max<size_t>(length, 2);
    const auto body = bytes_.subspan(offset_ + 2, whole - 2);
    offset_ += whole;
    return body;
  }

  void read_segment(uint8_t marker, std::span<const std::byte> body) {
    if (is_frame(marker)) read_frame(marker, body);
    // Pillow reads these fields where they matter to nobody, and refuses the file where they are cut.
    if (marker == kApp0) require(marker, body, "JFIF", 7);
    if (marker == kApp14) require(marker, body, "Adobe", 7);
    if (marker == kDqt) check_tables(body);
  }

  void require(uint8_t marker, std::span<const std::byte> body, std::string_view tag, size_t least) const {
    if (body.size() < tag.size() || std::memcmp(body.data(), tag.data(), tag.size()) != 0) return;
    if (body.size() < least) segment_too_short(marker, body);
  }

  void check_tables(std::span<const std::byte> body) const {
    for (size_t at = 0; at < body.size();) {
      const size_t length = static_cast<uint8_t>(body[at]) >> 4 ? 129 : 65;
      if (body.size() - at < length) segment_too_short(kDqt, body);
      at += length;
    }
  }

  void read_frame(uint8_t marker, std::span<const std::byte> body) {
    if (body.size() < 6 || (body.size() - 6) % 3 != 0) segment_too_short(marker, body);
    const auto field = [&](size_t at) { return static_cast<uint8_t>(body[at]); };
    if (field(0) == 12 || field(0) == 16)
      fail(ErrorCode::kUnsupported, "{}: JPEG: {} bits a sample: convert it to 8 bits", name_, field(0));
    if (field(0) != 8) bad_input("{}: JPEG: {} bits a sample in the frame header", name_, field(0));
    if (marker == 0xC3)
      fail(ErrorCode::kUnsupported, "{}: JPEG: lossless coding (SOF3): convert it to baseline JPEG or PNG", name_);
    header_.arithmetic = marker >= 0xC9;
    height_ = static_cast<uint32_t>(field(1) << 8 | field(2));
    width_ = static_cast<uint32_t>(field(3) << 8 | field(4));
    header_.components = field(5);
    if (header_.components != 1 && header_.components != 3 && header_.components != 4)
      bad_input("{}: JPEG: {} components in the frame header; 1, 3 or 4 can be", name_, header_.components);
  }

  [[noreturn]] void segment_too_short(uint8_t marker, std::span<const std::byte> body) const {
    bad_input("{}: JPEG: segment FF{:02X} that ends at offset {} has a wrong length: {} bytes", name_, marker, offset_,
              body.size());
  }

  std::span<const std::byte> bytes_;
  std::string_view name_;
  size_t offset_ = 0;
  uint32_t width_ = 0, height_ = 0;
  JpegHeader header_;
};

}  // namespace

JpegHeader read_jpeg_header(std::span<const std::byte> bytes, std::string_view name) {
  return Walker(bytes, name).walk();
}

}  // namespace effdet::vision
