// Reads a PNM's header and samples, numbers of text or of bits and bytes.
#include "vision/pnm_decode.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "base/error.h"
#include "vision/byte_reader.h"
#include "vision/limits.h"

namespace effdet::vision {
namespace {

constexpr uint32_t kMostSample = 65535;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The part of a file that is text: numbers between blanks, with comments from '#' to the end of the line. Comments
/// count for nothing, not even for a blank, as in Pillow.
class PnmText {
 public:
  PnmText(std::string_view text, std::string_view name, size_t at) : text_(text), name_(name), at_(at) {}

  /// Behind the blank that ended the last number.
  size_t offset() const { return at_; }

  /// The next character that is in no comment.
  std::optional<char> next() {
    while (at_ < text_.size() && text_[at_] == '#') {
      const size_t end = text_.find_first_of("\r\n", at_);
      at_ = end == text_.npos ? text_.size() : end + 1;
    }
    if (at_ == text_.size()) return std::nullopt;
    return text_[at_++];
  }

  std::optional<char> next_visible() {
    auto c = next();
    while (c && is_space(*c)) c = next();
    return c;
  }

  /// what: for messages, "the width".
  uint32_t number(std::string_view what) {
    constexpr uint64_t kMost = UINT32_MAX;
    uint64_t value = 0;
    auto c = next_visible();
    if (!c) fail_cut(what);
    for (; c && !is_space(*c); c = next()) {
      if (!is_digit(*c)) bad_input("{}: PNM: {} is no number at offset {}", name_, what, at_ - 1);
      value = value * 10 + static_cast<uint64_t>(*c - '0');
      if (value > kMost) bad_input("{}: PNM: {} is larger than {} at offset {}", name_, what, kMost, at_ - 1);
    }
    return static_cast<uint32_t>(value);
  }

  /// 0 or 1, with or without blanks around it.
  uint32_t bit() {
    const auto c = next_visible();
    if (!c) fail_cut("a pixel");
    if (*c != '0' && *c != '1') bad_input("{}: PNM: a pixel is neither 0 nor 1 at offset {}", name_, at_ - 1);
    return *c == '1';
  }

 private:
  [[noreturn]] void fail_cut(std::string_view what) const {
    bad_input("{}: PNM: cut short: {} is missing at offset {}", name_, what, at_);
  }

  std::string_view text_, name_;
  size_t at_;
};

struct PnmHeader {
  ImageSize size;
  bool plain = false, bitmap = false;
  uint32_t channels = 1;
  uint32_t most = 1;  ///< the sample that is white
  size_t pixels = 0;  ///< where they begin

  size_t row_samples() const { return static_cast<size_t>(size.width) * channels; }
  /// Of raw samples.
  size_t row_bytes() const { return bitmap ? (row_samples() + 7) / 8 : row_samples() * (most > 255 ? 2 : 1); }
};

PnmHeader read_header(std::span<const std::byte> bytes, std::string_view name) {
  const std::string_view content = text_of(bytes);
  PnmHeader header;
  const int kind = content[1] - '0';
  header.plain = kind <= 3;
  header.bitmap = kind % 3 == 1;
  header.channels = kind % 3 == 0 ? 3 : 1;
  PnmText text(content, name, 2);
  const uint32_t width = text.number("the width"), height = text.number("the height");
  header.size = checked_size(width, height, name);
  if (!header.bitmap) header.most = text.number("the largest sample");
  if (header.most == 0 || header.most > kMostSample)
    bad_input("{}: PNM: the largest sample is {} instead of 1 to {}", name, header.most, kMostSample);
  header.pixels = text.offset();
  return header;
}

/// What each sample becomes; those above the largest are white.
std::vector<uint8_t> levels_of(const PnmHeader& header) {
  if (header.bitmap) return {255, 0};
  // Pillow has greys of more than 8 bits as 16 bits, and clips those where it makes colours of them.
  const double white = header.channels == 1 && header.most > 255 ? kMostSample : 255;
  std::vector<uint8_t> levels(header.most > 255 ? kMostSample + 1 : 256);
  for (size_t sample = 0; sample < levels.size(); ++sample)
    levels[sample] =
        static_cast<uint8_t>(std::min(255.0, std::nearbyint(static_cast<double>(sample) / header.most * white)));
  return levels;
}

class PnmRows : public RowSource {
 public:
  PnmRows(std::span<const std::byte> bytes, std::string_view name)
      : RowSource(name),
        file_(bytes, this->name(), "PNM"),
        header_(read_header(bytes, this->name())),
        levels_(levels_of(header_)),
        text_(text_of(bytes), this->name(), header_.pixels) {
    set_size(header_.size);
    const auto height = static_cast<size_t>(size().height);
    // Plain samples have a digit each, and all but bits and the last one a blank.
    const size_t samples = header_.row_samples() * height;
    file_.part(header_.pixels, !header_.plain   ? header_.row_bytes() * height
                               : header_.bitmap ? samples
                                                : 2 * samples - 1);
  }

 private:
  void decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) override {
    for (int y = rows_given(), end = y + count; y < end; ++y, rgb += stride)
      header_.plain ? write_plain(rgb) : write_raw(static_cast<size_t>(y), rgb);
  }

  void write_plain(uint8_t* rgb) {
    for (size_t i = 0; i < header_.row_samples(); ++i) {
      const uint32_t sample = header_.bitmap ? text_.bit() : text_.number("a sample");
      if (sample > header_.most)
        bad_input("{}: PNM: a sample is {} before offset {}, and the largest is {}", name(), sample, text_.offset(),
                  header_.most);
      rgb = write(sample, rgb);
    }
  }

  void write_raw(size_t y, uint8_t* rgb) const {
    const auto part = file_.part(header_.pixels + y * header_.row_bytes(), header_.row_bytes());
    const auto* row = reinterpret_cast<const uint8_t*>(part.data());
    for (size_t i = 0; i < header_.row_samples(); ++i) {
      const uint32_t sample = header_.bitmap       ? row[i / 8] >> (7 - i % 8) & 1u
                              : header_.most > 255 ? static_cast<uint32_t>(row[2 * i] << 8 | row[2 * i + 1])
                                                   : row[i];
      rgb = write(sample, rgb);
    }
  }

  /// Where the next sample goes.
  uint8_t* write(uint32_t sample, uint8_t* rgb) const {
    return std::fill_n(rgb, header_.channels == 1 ? 3 : 1, levels_[sample]);
  }

  ByteReader file_;
  PnmHeader header_;
  std::vector<uint8_t> levels_;
  PnmText text_;  ///< of plain samples, behind those of the rows that were given
};

}  // namespace

bool is_pnm(std::string_view content) {
  if (content.size() < 4 || content[0] != 'P' || content[1] < '1' || content[1] > '6' || !is_space(content[2]))
    return false;
  const auto c = PnmText(content, "", 2).next_visible();
  return c && is_digit(*c);
}

std::unique_ptr<RowSource> open_pnm(std::span<const std::byte> bytes, std::string_view name) {
  return std::make_unique<PnmRows>(bytes, name);
}

ImageSize read_pnm_size(std::span<const std::byte> bytes, std::string_view name) {
  return read_header(bytes, name).size;
}

}  // namespace effdet::vision
