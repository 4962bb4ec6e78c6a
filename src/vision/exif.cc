// Finds the tag Orientation in EXIF data of a JPEG or PNG, and turns pixels and coordinates by it.
#include "vision/exif.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "vision/byte_reader.h"
#include "vision/image.h"
#include "vision/memory_gate.h"
#include "vision/whole_rows.h"

namespace effdet::vision {
namespace {

constexpr int kUpright = 1, kLastTurn = 8;
/// What EXIF data begin with in a JPEG; some writers of PNG and WebP put it there too.
constexpr std::string_view kTag("Exif\0\0", 6);

/// Big- or little-endian numbers at offsets; 0 past the end.
class Numbers {
 public:
  Numbers(std::string_view bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  uint32_t u16(size_t offset) const { return number(offset, 2); }
  uint32_t u32(size_t offset) const { return number(offset, 4); }
  size_t size() const { return bytes_.size(); }

 private:
  uint32_t number(size_t offset, size_t count) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i)
      value = value << 8 | static_cast<uint8_t>(bytes_[offset + (big_endian_ ? i : count - 1 - i)]);
    return value;
  }

  std::string_view bytes_;
  bool big_endian_;
};

/// From the first directory of a TIFF structure, as which EXIF data are laid out.
int orientation_of_tiff(std::string_view tiff) {
  constexpr uint32_t kMagic = 42, kOrientation = 0x0112, kShort = 3, kLong = 4;
  constexpr size_t kEntryBytes = 12;
  const bool big_endian = tiff.starts_with("MM");
  if (!big_endian && !tiff.starts_with("II")) return kUpright;
  const Numbers numbers(tiff, big_endian);
  if (numbers.u16(2) != kMagic) return kUpright;
  const size_t directory = numbers.u32(4);
  const uint32_t entries = numbers.u16(directory);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntryBytes;
    if (entry >= numbers.size()) break;
    if (numbers.u16(entry) != kOrientation) continue;
    const uint32_t type = numbers.u16(entry + 2);
    const uint32_t value = type == kShort ? numbers.u16(entry + 8) : type == kLong ? numbers.u32(entry + 8) : 0;
    return value >= kUpright && value <= kLastTurn ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

struct Point {
  int x, y;
};

/// Where the pixel (x, y) of an image of the given size is when it is turned upright.
Point target(int orientation, ImageSize size, int x, int y) {
  const int right = size.width - 1, bottom = size.height - 1;
  switch (orientation) {
    case 2:
      return {right - x, y};
    case 3:
      return {right - x, bottom - y};
    case 4:
      return {x, bottom - y};
    case 5:
      return {y, x};
    case 6:
      return {bottom - y, x};
    case 7:
      return {bottom - y, right - x};
    case 8:
      return {y, right - x};
    default:
      return {x, y};
  }
}

class UprightRows : public WholeRows {
 public:
  UprightRows(std::unique_ptr<RowSource> stored, int orientation)
      : WholeRows(stored->name(), gate()), stored_(std::move(stored)), orientation_(orientation) {
    const auto [width, height] = stored_->size();
    set_size(swaps_sides(orientation) ? ImageSize{height, width} : ImageSize{width, height});
  }

 private:
  void decode_all(uint8_t* rgb) override {
    const ImageSize size = stored_->size();
    std::vector<uint8_t> row(static_cast<size_t>(size.width) * 3);
    for (int y = 0; y < size.height; ++y) {
      stored_->read_rows(row.data(), 0, 1);
      for (int x = 0; x < size.width; ++x) {
        const Point to = target(orientation_, size, x, y);
        std::copy_n(row.data() + 3 * ptrdiff_t{x}, 3, rgb + to.y * row_bytes() + 3 * ptrdiff_t{to.x});
      }
    }
    stored_->finish();
  }

  /// Another than decoders enter, since stored_ may do so while this one holds memory.
  static MemoryGate& gate() {
    static MemoryGate gate;
    return gate;
  }

  std::unique_ptr<RowSource> stored_;
  int orientation_;
};

}  // namespace

int exif_orientation(std::string_view data) {
  return orientation_of_tiff(data.starts_with(kTag) ? data.substr(kTag.size()) : data);
}

/// From the first segment APP1 that holds EXIF data; others hold XMP.
int jpeg_orientation(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  constexpr uint8_t kApp1 = 0xE1, kStartOfScan = 0xDA, kStuffing = 0x00, kFirstRestart = 0xD0, kStartOfImage = 0xD8,
                    kFirstSegment = 0xC0;
  const Numbers numbers(text, /*big_endian=*/true);
  for (size_t at = 2; at + 4 <= text.size();) {
    const auto marker = static_cast<uint8_t>(text[at + 1]);
    const bool is_marker = static_cast<uint8_t>(text[at]) == 0xFF && marker != kStuffing && marker != 0xFF;
    if (!is_marker || marker < kFirstSegment || (marker >= kFirstRestart && marker <= kStartOfImage)) {
      ++at;  // junk, padding, or a marker without a segment
      continue;
    }
    if (marker == kStartOfScan) break;
    const size_t length = std::max<size_t>(numbers.u16(at + 2), 2);
    if (length > text.size() - at - 2) break;
    const std::string_view body = text.substr(at + 4, length - 2);
    if (marker == kApp1 && body.starts_with(kTag)) return exif_orientation(body);
    at += 2 + length;
  }
  return kUpright;
}

int png_orientation(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  const Numbers numbers(text, /*big_endian=*/true);
  constexpr size_t kSignature = 8, kFrame = 12;  // length, type and checksum of a chunk
  for (size_t at = kSignature; at + kFrame <= text.size();) {
    const size_t length = numbers.u32(at);
    if (length > text.size() - at - kFrame) break;
    if (text.substr(at + 4, 4) == "eXIf") return exif_orientation(text.substr(at + 8, length));
    at += kFrame + length;
  }
  return kUpright;
}

std::unique_ptr<RowSource> upright(std::unique_ptr<RowSource> stored, int orientation) {
  return std::make_unique<UprightRows>(std::move(stored), orientation);
}

}  // namespace effdet::vision
