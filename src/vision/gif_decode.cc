// Finds the first frame of a GIF, undoes its LZW compression, and puts it on the screen.
#include "vision/gif_decode.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "vision/byte_reader.h"
#include "vision/index_colours.h"
#include "vision/limits.h"
#include "vision/whole_rows.h"

namespace effdet::vision {
namespace {

/// The first frame, up to its data.
struct GifFrame {
  ImageSize screen;  ///< enlarged to hold the frame
  uint32_t x = 0, y = 0, width = 0, height = 0;
  bool interlaced = false;
  std::optional<uint32_t> transparent;
  size_t palette = 0, colours = 0;  ///< 0: none
  size_t data = 0;                  ///< behind the byte with the size of codes
  uint32_t code_bits = 0;
};

/// The place behind blocks of up to 255 bytes, which an empty one ends.
size_t behind_blocks(const ByteReader& file, size_t at) {
  while (const uint32_t length = file.u8(at)) at += 1 + length;
  return at + 1;
}

/// Returns the place behind it.
size_t read_extension(const ByteReader& file, size_t at, GifFrame& frame) {
  constexpr uint32_t kGraphicControl = 0xF9;
  const bool controls = file.u8(at) == kGraphicControl && file.u8(at + 1) >= 4;
  if (controls && (file.u8(at + 2) & 1) != 0) frame.transparent = file.u8(at + 5);
  return behind_blocks(file, at + 1);
}

GifFrame read_frame(const ByteReader& file, std::string_view name) {
  GifFrame frame;
  const auto palette_of = [&](uint32_t flags, size_t& at) {
    if ((flags & 0x80) == 0) return;
    frame.palette = at;
    frame.colours = size_t{2} << (flags & 7);
    at += 3 * frame.colours;
  };
  const uint32_t screen_width = file.u16(6), screen_height = file.u16(8);
  size_t at = 13;
  palette_of(file.u8(10), at);
  for (;;) {
    const uint32_t block = file.u8(at++);
    if (block == '!') at = read_extension(file, at, frame);
    if (block == ';') bad_input("{}: GIF: no image is in it", name);
    if (block == ',') break;
  }
  frame.x = file.u16(at);
  frame.y = file.u16(at + 2);
  frame.width = file.u16(at + 4);
  frame.height = file.u16(at + 6);
  const uint32_t flags = file.u8(at + 8);
  frame.interlaced = (flags & 0x40) != 0;
  at += 9;
  palette_of(flags, at);
  frame.code_bits = file.u8(at);
  frame.data = at + 1;
  frame.screen = checked_size(std::max(screen_width, frame.x + frame.width),
                              std::max(screen_height, frame.y + frame.height), name);
  if (frame.width == 0 || frame.height == 0) bad_input("{}: GIF: a frame of no pixels", name);
  // The format has 8 at most; some programs write more, for the same indices. Codes of 12 bits are one more.
  constexpr uint32_t kMostBits = 11;
  if (frame.code_bits == 0 || frame.code_bits > kMostBits)
    bad_input("{}: GIF: codes of {} bits, where 1 to {} may be", name, frame.code_bits, kMostBits);
  return frame;
}

/// The codes of a frame: bits, lowest first, in blocks.
class CodeReader {
 public:
  CodeReader(const ByteReader& file, size_t at) : file_(file), at_(at) {}

  uint32_t read(uint32_t bits) {
    while (held_ < bits) {
      if (left_ == 0) left_ = file_.u8(at_++);
      if (left_ == 0) return kNone;
      value_ |= file_.u8(at_++) << held_;
      held_ += 8;
      --left_;
    }
    const uint32_t code = value_ & ((1u << bits) - 1);
    value_ >>= bits;
    held_ -= bits;
    return code;
  }
  static constexpr uint32_t kNone = ~0u;  ///< the blocks have ended

 private:
  const ByteReader& file_;
  size_t at_;
  uint32_t left_ = 0, value_ = 0, held_ = 0;
};

/// Rows of a frame in the order in which they are stored: where an interlaced one puts row i.
uint32_t row_of(uint32_t stored, uint32_t height, bool interlaced) {
  if (!interlaced) return stored;
  struct Pass {
    uint32_t first, step;
  };
  for (const Pass& pass : {Pass{0, 8}, Pass{4, 8}, Pass{2, 4}}) {
    const uint32_t rows = height > pass.first ? (height - pass.first - 1) / pass.step + 1 : 0;
    if (stored < rows) return pass.first + stored * pass.step;
    stored -= rows;
  }
  return 1 + stored * 2;
}

class GifRows : public WholeRows {
 public:
  GifRows(std::span<const std::byte> bytes, std::string_view name)
      : WholeRows(name), file_(bytes, this->name(), "GIF"), frame_(read_frame(file_, this->name())) {
    set_size(frame_.screen);
    require_plausible(frame_.screen, bytes.size(), name);
    for (size_t i = 0; i < frame_.colours; ++i) {
      const auto colour = file_.part(frame_.palette + 3 * i, 3);
      for (size_t channel = 0; channel < 3; ++channel) palette_[i][channel] = static_cast<uint8_t>(colour[channel]);
    }
    complete_colours(palette_, frame_.colours);
  }

 private:
  void decode_all(uint8_t* rgb) override {
    const std::array<uint8_t, 3>& background = palette_[frame_.transparent.value_or(0)];
    for (ptrdiff_t i = 0; i < ptrdiff_t{size().width} * size().height; ++i) std::ranges::copy(background, rgb + 3 * i);
    const size_t all = size_t{frame_.width} * frame_.height;
    size_t done = 0;
    uint32_t column = 0, stored = 0;
    uint8_t* row = nullptr;
    unpack([&](uint8_t index) {
      if (column == 0)
        row = rgb + ptrdiff_t{frame_.y + row_of(stored++, frame_.height, frame_.interlaced)} * row_bytes() +
              3 * ptrdiff_t{frame_.x};
      std::ranges::copy(palette_[index], row + 3 * ptrdiff_t{column});
      column = column + 1 == frame_.width ? 0 : column + 1;
      return ++done < all;
    });
    if (done < all) bad_input("{}: GIF: cut short: the data end after {} of {} pixels", name(), done, all);
  }

  /// Calls put() with each index until it is false or the data end. A code stands for the one before it and one more.
  template <typename Put>
  void unpack(Put put) {
    constexpr uint32_t kCodes = 4096, kNone = CodeReader::kNone;
    const uint32_t clear = 1u << frame_.code_bits, end = clear + 1;
    std::array<uint16_t, kCodes> before{};
    std::array<uint8_t, kCodes> last{}, text{};
    CodeReader codes(file_, frame_.data);
    uint32_t bits = frame_.code_bits + 1, next = end + 1, previous = kNone;
    uint8_t first = 0;
    for (uint32_t code = codes.read(bits); code != kNone && code != end; code = codes.read(bits)) {
      if (code == clear) {
        bits = frame_.code_bits + 1;
        next = end + 1;
        previous = kNone;
        continue;
      }
      if (code > next || (previous == kNone && code > clear))
        bad_input("{}: GIF: broken data: code {}, where {} are known", name(), code, next);
      size_t length = 0;
      uint32_t at = code;
      if (code == next) {  // what is just being added: the one before it and its own first index
        text[length++] = first;
        at = previous;
      }
      for (; at > end; at = before[at]) text[length++] = last[at];
      text[length++] = first = static_cast<uint8_t>(at);
      if (previous != kNone && next < kCodes) {
        before[next] = static_cast<uint16_t>(previous);
        last[next] = first;
        if (++next == 1u << bits && bits < 12) ++bits;
      }
      previous = code;
      while (length > 0)
        if (!put(text[--length])) return;
    }
  }

  ByteReader file_;
  GifFrame frame_;
  IndexColours palette_{};
};

}  // namespace

std::unique_ptr<RowSource> open_gif(std::span<const std::byte> bytes, std::string_view name) {
  return std::make_unique<GifRows>(bytes, name);
}

ImageSize read_gif_size(std::span<const std::byte> bytes, std::string_view name) {
  return read_frame(ByteReader(bytes, name, "GIF"), name).screen;
}

}  // namespace effdet::vision
