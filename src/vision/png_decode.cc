#include "vision/png_decode.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "vision/limits.h"
#include "vision/png_chunks.h"
#include "vision/png_pixels.h"

namespace effdet {
namespace {

/// Deflate cannot do better than this.
constexpr uint64_t kBestRatio = 1032;

/// The concatenated IDAT chunks, inflated on demand.
class Inflater {
 public:
  Inflater(PngChunkReader& chunks, std::string_view name) : chunks_(chunks), name_(name) {
    if (inflateInit(&stream_) != Z_OK) fail(ErrorCode::kOutOfMemory, "{}: PNG: no memory to inflate", name);
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills row, whatever number of chunks that takes. Throws Error(kBadInput) where the data are broken or too few.
  void read(std::span<uint8_t> row) {
    stream_.next_out = row.data();
    stream_.avail_out = static_cast<uInt>(row.size());
    while (stream_.avail_out > 0) {
      if (stream_.avail_in == 0) refill();
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_MEM_ERROR) fail(ErrorCode::kOutOfMemory, "{}: PNG: no memory to inflate", name_);
      if (status < 0 && status != Z_BUF_ERROR)
        bad_input("{}: PNG: broken image data: {}", name_, stream_.msg ? stream_.msg : "zlib error");
      ended_ = status == Z_STREAM_END;
      // Data behind the end of the stream do not help: the chunks run out, and that is what is reported.
      if (ended_) stream_.avail_in = 0;
    }
  }

  bool ended() const { return ended_; }

 private:
  void refill() {
    const auto bytes = chunks_.next_image_data();
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
  }

  PngChunkReader& chunks_;
  std::string_view name_;
  z_stream stream_{};
  bool ended_ = false;
};

uint8_t paeth(int left, int above, int corner) {
  const int to_left = std::abs(above - corner), to_above = std::abs(left - corner);
  const int to_corner = std::abs(left + above - 2 * corner);
  if (to_left <= to_above && to_left <= to_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(to_above <= to_corner ? above : corner);
}

/// Undoes the filter of a row in place; step: bytes a pixel, at least 1. False for an unknown filter.
bool unfilter(uint8_t filter, std::span<uint8_t> row, std::span<const uint8_t> above, size_t step) {
  const size_t first = std::min(step, row.size());
  const auto add = [&](size_t i, int value) { row[i] = static_cast<uint8_t>(row[i] + value); };
  switch (filter) {
    case 0:
      return true;
    case 1:
      for (size_t i = step; i < row.size(); ++i) add(i, row[i - step]);
      return true;
    case 2:
      for (size_t i = 0; i < row.size(); ++i) add(i, above[i]);
      return true;
    case 3:
      for (size_t i = 0; i < first; ++i) add(i, above[i] / 2);
      for (size_t i = step; i < row.size(); ++i) add(i, (row[i - step] + above[i]) / 2);
      return true;
    case 4:
      for (size_t i = 0; i < first; ++i) add(i, above[i]);
      for (size_t i = step; i < row.size(); ++i) add(i, paeth(row[i - step], above[i], above[i - step]));
      return true;
    default:
      return false;
  }
}

/// Where the pixels of one pass lie.
struct Pass {
  int x, y, step_x, step_y;
};

constexpr std::array kWhole{Pass{0, 0, 1, 1}};
constexpr std::array kAdam7{Pass{0, 0, 8, 8}, Pass{4, 0, 8, 8}, Pass{0, 4, 4, 8}, Pass{2, 0, 4, 4},
                            Pass{0, 2, 2, 4}, Pass{1, 0, 2, 2}, Pass{0, 1, 1, 2}};

class PngDecoder {
 public:
  PngDecoder(std::span<const std::byte> bytes, std::string_view name)
      : chunks_(bytes, name), header_(chunks_.read_header()), format_(png_pixel_format(header_, name)), name_(name) {
    size_ = checked_size(header_.width, header_.height, name);
    const uint64_t raw = (uint64_t{header_.width} * static_cast<uint64_t>(format_.bits) + 7) / 8 * header_.height;
    if (raw > kTrustedBytes && raw / kBestRatio > bytes.size())
      bad_input("{}: PNG: {} bytes cannot hold the {} x {} pixels of the header", name, bytes.size(), size_.width,
                size_.height);
  }

  Image decode() {
    Image image(size_.width, size_.height);
    Inflater source(chunks_, name_);
    const std::span<const Pass> passes = header_.interlaced ? std::span<const Pass>(kAdam7) : kWhole;
    for (const Pass& pass : passes) read_pass(source, pass, image);
    chunks_.read_trailer();
    return image;
  }

 private:
  void read_pass(Inflater& source, const Pass& pass, Image& image) {
    const int count = (size_.width - pass.x + pass.step_x - 1) / pass.step_x;
    if (count <= 0) return;
    const size_t length = (static_cast<size_t>(count) * static_cast<size_t>(format_.bits) + 7) / 8;
    row_.assign(length + 1, 0);
    above_.assign(length + 1, 0);
    for (int y = pass.y; y < size_.height; y += pass.step_y) {
      if (source.ended())
        std::ranges::fill(row_, uint8_t{0});
      else
        read_row(source, y);
      store(pass, count, image.row(y));
      std::swap(row_, above_);
    }
  }

  void read_row(Inflater& source, int y) {
    source.read(row_);
    const size_t step = static_cast<size_t>((format_.bits + 7) / 8);
    if (!unfilter(row_[0], std::span(row_).subspan(1), std::span(above_).subspan(1), step))
      bad_input("{}: PNG: unknown filter {} in row {}", name_, row_[0], y);
  }

  void store(const Pass& pass, int count, uint8_t* target) {
    if (pass.step_x == 1) return format_.convert(row_.data() + 1, count, header_, target);
    rgb_.resize(static_cast<size_t>(count) * 3);
    format_.convert(row_.data() + 1, count, header_, rgb_.data());
    for (int i = 0; i < count; ++i) std::copy_n(rgb_.data() + 3 * i, 3, target + 3 * (pass.x + i * pass.step_x));
  }

  PngChunkReader chunks_;
  const PngHeader& header_;
  PngPixelFormat format_;
  std::string_view name_;
  ImageSize size_;
  std::vector<uint8_t> row_, above_, rgb_;
};

}  // namespace

Image decode_png(std::span<const std::byte> bytes, std::string_view name) { return PngDecoder(bytes, name).decode(); }

ImageSize read_png_size(std::span<const std::byte> bytes, std::string_view name) {
  PngChunkReader chunks(bytes, name);
  const PngHeader& header = chunks.read_header();
  png_pixel_format(header, name);
  return checked_size(header.width, header.height, name);
}

}  // namespace effdet
