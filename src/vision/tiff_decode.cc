// Rows of a TIFF: strips or tiles as they are needed, and samples of every kind to RGB.
#include "vision/tiff_decode.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "vision/exif.h"
#include "vision/memory_gate.h"
#include "vision/tiff_file.h"

namespace effdet::vision {
namespace {

enum class Colours { kGrey, kPalette, kRgb, kYcbcr, kCmyk };

[[noreturn]] void refuse(const TiffLayout& layout, std::string_view name) {
  fail(ErrorCode::kUnsupported,
       "{}: TIFF: {} samples of {} bits of type {} with photometric interpretation {}; convert it to JPEG or PNG", name,
       layout.samples, layout.bits, layout.kind, layout.photometric);
}

Colours colours_of(const TiffLayout& layout, std::string_view name) {
  const uint16_t bits = layout.bits;
  const bool is_whole = layout.kind == SAMPLEFORMAT_UINT || layout.kind == SAMPLEFORMAT_VOID;
  switch (layout.photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK: {
      const bool is_small = (bits == 1 || bits == 2 || bits == 4) && is_whole && layout.samples == 1;
      const bool is_wide = bits == 8 || bits == 16 || bits == 32;
      const bool is_float = layout.kind == SAMPLEFORMAT_IEEEFP;
      if (!is_small && (!is_wide || (is_float && bits != 32) || (layout.samples > 1 && layout.premultiplied))) break;
      return Colours::kGrey;
    }
    case PHOTOMETRIC_PALETTE:
      if (!is_whole || bits > 8 || (bits & (bits - 1)) != 0) break;
      return Colours::kPalette;
    case PHOTOMETRIC_RGB:
      if (!is_whole || layout.samples < 3 || (bits != 8 && bits != 16)) break;
      return Colours::kRgb;
    case PHOTOMETRIC_SEPARATED:
      if (!is_whole || layout.samples < 4 || (bits != 8 && bits != 16)) break;
      return Colours::kCmyk;
    case PHOTOMETRIC_YCBCR:
      return layout.by_libtiff ? Colours::kRgb : Colours::kYcbcr;
    default:
      break;
  }
  refuse(layout, name);
}

template <typename T>
T sample_at(const uint8_t* row, size_t index) {
  T value;
  std::memcpy(&value, row + index * sizeof(T), sizeof(T));
  return value;
}

uint8_t clipped(double value) { return value >= 255 ? 255 : value > 0 ? static_cast<uint8_t>(value) : 0; }

/// A grey sample as Pillow brings it to 8 bits: few bits are stretched, many are cut off at 255. For Pillow 32 bits
/// have a sign, whatever the file says.
uint8_t grey(const TiffLayout& layout, const uint8_t* row, size_t index) {
  const bool is_signed = layout.kind == SAMPLEFORMAT_INT, inverted = layout.photometric == PHOTOMETRIC_MINISWHITE;
  if (layout.bits == 32)
    return layout.kind == SAMPLEFORMAT_IEEEFP ? clipped(sample_at<float>(row, index))
                                              : clipped(sample_at<int32_t>(row, index));
  if (layout.bits == 16)
    return is_signed ? clipped(sample_at<int16_t>(row, index)) : clipped(sample_at<uint16_t>(row, index));
  const uint32_t most = (1u << layout.bits) - 1;
  const size_t bit = index * layout.bits;
  const uint32_t value = row[bit / 8] >> (8 - layout.bits - bit % 8) & most;
  return static_cast<uint8_t>((inverted ? most - value : value) * 255 / most);
}

/// Of 8 or 16 bits, the upper eight.
uint8_t upper_byte(const TiffLayout& layout, const uint8_t* row, size_t index) {
  return layout.bits == 8 ? row[index] : static_cast<uint8_t>(sample_at<uint16_t>(row, index) >> 8);
}

class TiffRows : public RowSource {
 public:
  TiffRows(std::span<const std::byte> bytes, std::string_view name)
      : RowSource(name), file_(bytes, this->name()), colours_(colours_of(file_.layout(), name)) {
    set_size(file_.layout().size);
  }
  int orientation() const { return file_.layout().orientation; }

 private:
  void decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) override {
    const auto height = static_cast<int>(file_.layout().unit_height);
    for (int y = rows_given(), end = y + count; y < end; ++y, rgb += stride) {
      if (y % height == 0) read_band(static_cast<uint32_t>(y));
      std::copy_n(band_.data() + (y % height) * row_bytes(), row_bytes(), rgb);
    }
  }

  /// The strip, or the row of tiles, that begins with row y.
  void read_band(uint32_t y) {
    const TiffLayout& layout = file_.layout();
    const size_t unit = layout.by_libtiff ? size_t{4} * layout.unit_width * layout.unit_height
                                          : file_.unit_bytes() * static_cast<size_t>(layout.planes());
    const size_t band = static_cast<size_t>(row_bytes()) * layout.unit_height;
    if (band_.empty()) {
      memory_ = whole_images().enter(unit + band);
      unit_.resize(unit);
      band_.resize(band);
    }
    for (uint32_t x = 0; x < static_cast<uint32_t>(size().width); x += layout.unit_width) {
      const uint32_t width = std::min(layout.unit_width, static_cast<uint32_t>(size().width) - x);
      const uint32_t height = std::min(layout.unit_height, static_cast<uint32_t>(size().height) - y);
      layout.by_libtiff ? take_rgba(x, y, width, height) : take_samples(x, y, width, height);
    }
  }

  uint8_t* target(uint32_t x, uint32_t row) { return band_.data() + ptrdiff_t{row} * row_bytes() + 3 * ptrdiff_t{x}; }

  void take_rgba(uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    const TiffLayout& layout = file_.layout();
    rgba_.resize(size_t{layout.unit_width} * layout.unit_height);
    file_.read_rgba(x, y, rgba_);
    const uint32_t rows = layout.tiled ? layout.unit_height : height;
    for (uint32_t row = 0; row < height; ++row) {
      const uint32_t* pixel = rgba_.data() + size_t{rows - 1 - row} * layout.unit_width;
      uint8_t* rgb = target(x, row);
      for (uint32_t i = 0; i < width; ++i, ++pixel)
        for (int channel = 0; channel < 3; ++channel) *rgb++ = static_cast<uint8_t>(*pixel >> 8 * channel);
    }
  }

  void take_samples(uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    const TiffLayout& layout = file_.layout();
    const size_t plane_bytes = file_.unit_bytes();
    for (int plane = 0; plane < std::min(layout.planes(), channels()); ++plane)
      file_.read(x, y, plane, std::span(unit_).subspan(static_cast<size_t>(plane) * plane_bytes, plane_bytes));
    const size_t step = layout.planes() > 1 ? 1 : layout.samples;
    for (uint32_t row = 0; row < height; ++row) {
      const uint8_t* samples = unit_.data() + row * layout.row_bytes();
      uint8_t* rgb = target(x, row);
      for (uint32_t i = 0; i < width; ++i, rgb += 3)
        convert(
            [&](size_t channel) -> std::pair<const uint8_t*, size_t> {
              if (layout.planes() > 1) return {samples + channel * plane_bytes, i * step};
              return {samples, i * step + channel};
            },
            rgb);
    }
  }

  /// That are looked at: of a plane that is not, the file need not have the data.
  int channels() const {
    switch (colours_) {
      case Colours::kGrey:
      case Colours::kPalette:
        return 1;
      case Colours::kCmyk:
        return 4;
      default:
        return file_.layout().premultiplied ? 4 : 3;
    }
  }

  /// place: where a channel of the pixel is, a row and an index into it.
  template <typename Place>
  void convert(Place place, uint8_t* rgb) const {
    const TiffLayout& layout = file_.layout();
    const auto value = [&](size_t channel) {
      const auto [row, index] = place(channel);
      return upper_byte(layout, row, index);
    };
    switch (colours_) {
      case Colours::kGrey: {
        const auto [row, index] = place(0);
        std::fill_n(rgb, 3, grey(layout, row, index));
        break;
      }
      case Colours::kPalette: {
        const auto [row, index] = place(0);
        const size_t bit = index * layout.bits;
        const size_t colour = row[bit / 8] >> (8 - layout.bits - bit % 8) & ((1u << layout.bits) - 1);
        for (size_t channel = 0; channel < 3; ++channel) rgb[channel] = layout.palette[channel][colour];
        break;
      }
      case Colours::kRgb:
        for (size_t channel = 0; channel < 3; ++channel) rgb[channel] = value(channel);
        if (layout.premultiplied && layout.samples > 3) divide_by_alpha(value(3), rgb);
        break;
      case Colours::kYcbcr:
        write_rgb(value(0), value(1), value(2), rgb);
        break;
      case Colours::kCmyk:
        for (size_t channel = 0; channel < 3; ++channel) {
          const int white = 255 - value(3), product = value(channel) * white + 128;
          rgb[channel] = static_cast<uint8_t>(std::max(white - (((product >> 8) + product) >> 8), 0));
        }
        break;
    }
  }

  /// JPEG's colours in Pillow's arithmetic: products of 6 bits behind the point, cut off towards zero, then their sums.
  static void write_rgb(int luma, int blue, int red, uint8_t* rgb) {
    const auto product = [](double factor, int chroma) { return static_cast<int>(factor * (chroma - 128) * 64 + 0.5); };
    const auto channel = [luma](int difference) {
      return static_cast<uint8_t>(std::clamp(luma + (difference >> 6), 0, 255));
    };
    rgb[0] = channel(product(1.402, red));
    rgb[1] = channel(product(-0.34414, blue) + product(-0.71414, red));
    rgb[2] = channel(product(1.772, blue));
  }

  static void divide_by_alpha(uint32_t alpha, uint8_t* rgb) {
    for (int channel = 0; channel < 3; ++channel)
      rgb[channel] = alpha == 0 ? 0 : static_cast<uint8_t>(std::min(rgb[channel] * 255u / alpha, 255u));
  }

  TiffFile file_;
  Colours colours_;
  MemoryGate::Hold memory_;
  std::vector<uint8_t> unit_, band_;
  std::vector<uint32_t> rgba_;
};

}  // namespace

std::unique_ptr<RowSource> open_tiff(std::span<const std::byte> bytes, std::string_view name) {
  auto rows = std::make_unique<TiffRows>(bytes, name);
  const int orientation = rows->orientation();
  if (orientation <= 1 || orientation > 8) return rows;
  return upright(std::move(rows), orientation);
}

ImageSize read_tiff_size(std::span<const std::byte> bytes, std::string_view name) {
  const TiffFile file(bytes, name);
  const auto [width, height] = file.layout().size;
  return swaps_sides(file.layout().orientation) && file.layout().orientation <= 8 ? ImageSize{height, width}
                                                                                  : ImageSize{width, height};
}

}  // namespace effdet::vision
