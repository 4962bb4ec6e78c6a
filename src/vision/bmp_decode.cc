// Reads a BMP's header, palette and rows; undoes run lengths.
#include "vision/bmp_decode.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "vision/byte_reader.h"
#include "vision/index_colours.h"
#include "vision/limits.h"

namespace effdet::vision {
namespace {

constexpr size_t kFileHeader = 14;
constexpr uint32_t kRaw = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3;

struct BmpHeader {
  ImageSize size;
  uint32_t bits = 0, compression = kRaw;
  bool top_down = false;
  size_t palette = 0, colours = 0, colour_bytes = 0;  ///< where it begins, how many colours, how large one is
  size_t pixels = 0;                                  ///< where they begin
  std::array<uint32_t, 4> masks{};                    ///< of bit fields: red, green, blue, alpha
};

BmpHeader read_header(const ByteReader& file, std::string_view name) {
  BmpHeader header;
  const uint32_t length = file.u32(kFileHeader);
  constexpr std::array<uint32_t, 7> kLengths{12, 40, 52, 56, 64, 108, 124};
  if (std::ranges::find(kLengths, length) == kLengths.end())
    fail(ErrorCode::kUnsupported, "{}: BMP: a header of {} bytes; convert it to JPEG or PNG", name, length);
  const size_t at = kFileHeader + 4;
  file.part(at, length - 4);
  uint32_t colours = 0;
  if (length == 12) {  // of OS/2
    header.size = checked_size(file.u16(at), file.u16(at + 2), name);
    header.bits = file.u16(at + 6);
    header.colour_bytes = 3;
  } else {
    header.top_down = file.u8(at + 7) == 0xFF;  // a negative height
    const uint32_t height = file.u32(at + 4);
    header.size = checked_size(file.u32(at), header.top_down ? 0 - height : height, name);
    header.bits = file.u16(at + 10);
    header.compression = file.u32(at + 12);
    colours = file.u32(at + 28);
    header.colour_bytes = 4;
  }
  header.palette = kFileHeader + length;
  if (header.compression == kBitFields) {
    const size_t masks = at + 36;  // also where they follow a header of 40 bytes
    for (size_t i = 0; i < (length >= 56 ? 4u : 3u); ++i) header.masks[i] = file.u32(masks + 4 * i);
    if (length == 40) header.palette += 12;
  }
  if (header.bits <= 8) header.colours = colours != 0 ? colours : size_t{1} << header.bits;
  header.pixels = file.u32(10);
  const size_t behind_palette = header.palette + header.colours * header.colour_bytes;
  if (header.pixels == 0 || (header.bits <= 8 && header.pixels == kFileHeader + length)) header.pixels = behind_palette;
  return header;
}

/// Where the channels of a pixel lie: in bytes, or for 16 bits as masks.
struct Layout {
  uint32_t bits;
  std::array<uint32_t, 4> masks;
  std::array<uint8_t, 3> bytes;  ///< of red, green and blue in a pixel
};

constexpr std::array kLayouts{
    Layout{32, {0xFF0000, 0xFF00, 0xFF, 0}, {2, 1, 0}},
    Layout{32, {0xFF000000, 0xFF0000, 0xFF00, 0}, {3, 2, 1}},
    Layout{32, {0xFF000000, 0xFF00, 0xFF, 0}, {3, 1, 0}},
    Layout{32, {0xFF000000, 0xFF0000, 0xFF00, 0xFF}, {3, 2, 1}},
    Layout{32, {0xFF, 0xFF00, 0xFF0000, 0xFF000000}, {0, 1, 2}},
    Layout{32, {0xFF0000, 0xFF00, 0xFF, 0xFF000000}, {2, 1, 0}},
    Layout{32, {0xFF000000, 0xFF00, 0xFF, 0xFF0000}, {3, 1, 0}},
    Layout{32, {0, 0, 0, 0}, {2, 1, 0}},
    Layout{24, {0xFF0000, 0xFF00, 0xFF, 0}, {2, 1, 0}},
    Layout{16, {0xF800, 0x7E0, 0x1F, 0}, {}},
    Layout{16, {0x7C00, 0x3E0, 0x1F, 0}, {}},
};

const Layout& layout_of(const BmpHeader& header, std::string_view name) {
  std::array<uint32_t, 4> masks = header.masks;
  if (header.compression != kBitFields)
    masks = header.bits == 16 ? std::array<uint32_t, 4>{0x7C00, 0x3E0, 0x1F, 0}
                              : std::array<uint32_t, 4>{0xFF0000, 0xFF00, 0xFF, 0};
  if (header.bits != 32) masks[3] = 0;
  for (const Layout& layout : kLayouts)
    if (layout.bits == header.bits && layout.masks == masks) return layout;
  fail(ErrorCode::kUnsupported, "{}: BMP: {} bits a pixel with masks {:#x}, {:#x}, {:#x}; convert it to JPEG or PNG",
       name, header.bits, masks[0], masks[1], masks[2]);
}

IndexColours read_palette(const ByteReader& file, const BmpHeader& header, std::string_view name) {
  constexpr size_t kMostColours = 65536;
  if (header.colours > kMostColours) bad_input("{}: BMP: a palette of {} colours", name, header.colours);
  IndexColours palette{};
  for (size_t i = 0; i < std::min(header.colours, palette.size()); ++i) {
    const auto colour = file.part(header.palette + i * header.colour_bytes, 3);
    for (size_t channel = 0; channel < 3; ++channel) palette[i][channel] = static_cast<uint8_t>(colour[2 - channel]);
  }
  complete_colours(palette, header.colours);
  return palette;
}

class BmpRows : public RowSource {
 public:
  BmpRows(std::span<const std::byte> bytes, std::string_view name)
      : RowSource(name), file_(bytes, this->name(), "BMP"), header_(read_header(file_, this->name())) {
    set_size(header_.size);
    const uint32_t bits = header_.bits;
    const bool indexed = bits == 1 || bits == 4 || bits == 8;
    const bool runs = (header_.compression == kRle8 || header_.compression == kRle4) && indexed;
    if (!runs && header_.compression != kRaw && header_.compression != kBitFields)
      fail(ErrorCode::kUnsupported, "{}: BMP: compression {}; convert it to JPEG or PNG", name, header_.compression);
    if (!indexed && bits != 16 && bits != 24 && bits != 32)
      fail(ErrorCode::kUnsupported, "{}: BMP: {} bits a pixel; convert it to JPEG or PNG", name, bits);
    if (indexed && header_.compression == kBitFields)
      fail(ErrorCode::kUnsupported, "{}: BMP: masks for colours of a palette; convert it to JPEG or PNG", name);
    if (indexed) palette_ = read_palette(file_, header_, this->name());
    if (!indexed) layout_ = layout_of(header_, this->name());
    stride_ = (static_cast<size_t>(size().width) * bits + 31) / 32 * 4;
    if (runs) require_plausible(size(), bytes.size(), name);
    if (!runs) file_.part(header_.pixels + stride_ * static_cast<size_t>(size().height - 1), row_data_bytes());
    runs_ = runs;
  }

 private:
  size_t row_data_bytes() const { return (static_cast<size_t>(size().width) * header_.bits + 7) / 8; }

  void decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) override {
    if (runs_ && indices_.empty()) undo_runs();
    for (int y = rows_given(), end = y + count; y < end; ++y, rgb += stride) {
      const auto stored = static_cast<size_t>(header_.top_down ? y : size().height - 1 - y);
      if (runs_) {
        const auto width = static_cast<size_t>(size().width);
        write_indexed(std::span(indices_).subspan(stored * width, width), 8, rgb);
        continue;
      }
      const auto row = file_.part(header_.pixels + stored * stride_, row_data_bytes());
      const std::span data(reinterpret_cast<const uint8_t*>(row.data()), row.size());
      layout_ ? write_colours(data, rgb) : write_indexed(data, header_.bits, rgb);
    }
  }

  void write_indexed(std::span<const uint8_t> row, uint32_t bits, uint8_t* rgb) const {
    for (size_t x = 0; x < static_cast<size_t>(size().width); ++x, rgb += 3) {
      const size_t bit = x * bits;
      const uint32_t index = row[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1);
      std::ranges::copy(palette_[index], rgb);
    }
  }

  void write_colours(std::span<const uint8_t> row, uint8_t* rgb) const {
    const size_t step = header_.bits / 8;
    for (const uint8_t* pixel = row.data(); pixel < row.data() + row.size(); pixel += step) {
      for (size_t channel = 0; channel < 3; ++channel, ++rgb) {
        if (header_.bits != 16) {
          *rgb = pixel[layout_->bytes[channel]];
          continue;
        }
        const uint32_t mask = layout_->masks[channel], lowest = mask & (0 - mask);
        *rgb = static_cast<uint8_t>(((pixel[0] | pixel[1] << 8) & mask) / lowest * 255 / (mask / lowest));
      }
    }
  }

  /// Into indices_, a byte a pixel. Rows that run lengths skip have index 0.
  void undo_runs() {
    const auto width = static_cast<size_t>(size().width), all = width * static_cast<size_t>(size().height);
    const bool nibbles = header_.compression == kRle4;
    std::vector<uint8_t> pixels;
    pixels.reserve(all);
    const auto add = [&](size_t count, auto value_of) {
      for (size_t i = 0; i < count && pixels.size() < all; ++i) pixels.push_back(static_cast<uint8_t>(value_of(i)));
    };
    const auto half = [](uint32_t byte, size_t i) { return i % 2 == 0 ? byte >> 4 : byte & 15; };
    size_t x = 0;
    for (size_t at = header_.pixels; pixels.size() < all;) {
      const uint32_t count = file_.u8(at), value = file_.u8(at + 1);
      at += 2;
      if (count > 0) {
        const size_t room = width - std::min(x, width);
        add(std::min<size_t>(count, room), [&](size_t i) { return nibbles ? half(value, i) : value; });
        x += std::min<size_t>(count, room);
      } else if (value == 0) {  // the end of a row
        add((width - pixels.size() % width) % width, [](size_t) { return 0; });
        x = 0;
      } else if (value == 1) {
        bad_input("{}: BMP: the data end after {} of {} pixels", name(), pixels.size(), all);
      } else if (value == 2) {
        add(file_.u8(at) + file_.u8(at + 1) * width, [](size_t) { return 0; });
        at += 2;
        x = pixels.size() % width;
      } else {  // pixels as they are
        const size_t wanted = std::min<size_t>(all - pixels.size(), value);
        const auto data = file_.part(at, nibbles ? (wanted + 1) / 2 : wanted);
        add(wanted, [&](size_t i) {
          return nibbles ? half(static_cast<uint32_t>(data[i / 2]), i) : static_cast<uint32_t>(data[i]);
        });
        x += value;
        at += data.size();
        at += at % 2;
      }
    }
    indices_ = std::move(pixels);
  }

  ByteReader file_;
  BmpHeader header_;
  IndexColours palette_{};
  std::optional<Layout> layout_;
  size_t stride_ = 0;
  bool runs_ = false;
  std::vector<uint8_t> indices_;
};

}  // namespace

std::unique_ptr<RowSource> open_bmp(std::span<const std::byte> bytes, std::string_view name) {
  return std::make_unique<BmpRows>(bytes, name);
}

ImageSize read_bmp_size(std::span<const std::byte> bytes, std::string_view name) {
  return read_header(ByteReader(bytes, name, "BMP"), name).size;
}

}  // namespace effdet::vision
