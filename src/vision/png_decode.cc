// PNG rows: inflates the image data, undoes filters and interlacing, converts samples.
#include "vision/png_decode.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.h"
#include "vision/inflate_stream.h"
#include "vision/limits.h"
#include "vision/memory_gate.h"
#include "vision/png_chunks.h"
#include "vision/png_filter.h"
#include "vision/png_pixels.h"

namespace effdet::vision {
namespace {

/// Deflate cannot do better than this.
constexpr uint64_t kBestRatio = 1032;

/// The concatenated IDAT chunks, inflated on demand.
class ImageData {
 public:
  ImageData(PngChunkReader& chunks, std::string_view name) : chunks_(chunks), name_(name) {}

  /// Fills row, whatever number of chunks that takes. Throws Error(kBadInput) where the data are broken or too few.
  void read(std::span<uint8_t> row) {
    for (;;) switch (stream_.inflate(row)) {
        case InflateStream::Status::kOutputFull:
          return;
        case InflateStream::Status::kNeedsInput:
          stream_.feed(chunks_.next_image_data());
          break;
        case InflateStream::Status::kEnd:
          ended_ = true;
          if (row.empty()) return;
          bad_input("{}: PNG: cut short: the compressed image data end inside a row", name_);
        case InflateStream::Status::kBroken:
          bad_input("{}: PNG: broken image data: {}", name_, stream_.problem());
      }
  }

  bool ended() const { return ended_; }

 private:
  PngChunkReader& chunks_;
  std::string_view name_;
  InflateStream stream_;
  bool ended_ = false;
};

/// Where the pixels of one pass lie.
struct Pass {
  int x, y, step_x, step_y;
};

constexpr Pass kWhole{0, 0, 1, 1};
constexpr std::array kAdam7{Pass{0, 0, 8, 8}, Pass{4, 0, 8, 8}, Pass{0, 4, 4, 8}, Pass{2, 0, 4, 4},
                            Pass{0, 2, 2, 4}, Pass{1, 0, 2, 2}, Pass{0, 1, 1, 2}};

class PngRows : public RowSource {
 public:
  PngRows(std::span<const std::byte> bytes, std::string_view name)
      : RowSource(name),
        chunks_(bytes, this->name()),
        header_(chunks_.read_header()),
        format_(png_pixel_format(header_, name)),
        data_(chunks_, this->name()) {
    set_size(checked_size(header_.width, header_.height, name));
    const uint64_t raw = (uint64_t{header_.width} * static_cast<uint64_t>(format_.bits) + 7) / 8 * header_.height;
    if (raw > kTrustedBytes && raw / kBestRatio > bytes.size())
      bad_input("{}: PNG: {} bytes cannot hold the {} x {} pixels of the header", name, bytes.size(), size().width,
                size().height);
    if (!header_.interlaced) begin_pass(kWhole);
  }

 private:
  void decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) override {
    for (int y = rows_given(), end = y + count; y < end; ++y, rgb += stride) {
      if (header_.interlaced) {
        copy_row(rgb, y);
      } else {
        next_row(y);
        format_.convert(row_.data() + 1, columns_, header_, rgb);
      }
    }
  }

  void decode_all(uint8_t* rgb) override {
    if (!header_.interlaced) return RowSource::decode_all(rgb);
    for (const Pass& pass : kAdam7) read_pass(pass, rgb);
  }

  void check_end() override { chunks_.read_trailer(); }

  /// Rows of an interlaced image are whole only when all of it is there.
  void copy_row(uint8_t* rgb, int y) {
    if (image_.empty()) {
      memory_ = whole_images().enter(uint64_t{3} * header_.width * header_.height);
      image_ = Image(size().width, size().height);
      decode_all(image_.row(0));
    }
    std::copy_n(image_.row(y), image_.row_bytes(), rgb);
  }

  void read_pass(const Pass& pass, uint8_t* rgb) {
    begin_pass(pass);
    std::vector<uint8_t> pixels(static_cast<size_t>(columns_) * 3);
    for (int y = pass.y; y < size().height && columns_ > 0; y += pass.step_y) {
      next_row(y);
      format_.convert(row_.data() + 1, columns_, header_, pixels.data());
      uint8_t* to = rgb + (static_cast<size_t>(y) * header_.width + static_cast<size_t>(pass.x)) * 3;
      for (size_t i = 0; i < pixels.size(); i += 3, to += 3 * pass.step_x) std::copy_n(pixels.data() + i, 3, to);
    }
  }

  void begin_pass(const Pass& pass) {
    columns_ = (size().width - pass.x + pass.step_x - 1) / pass.step_x;
    const size_t length = (static_cast<size_t>(columns_) * static_cast<size_t>(format_.bits) + 7) / 8;
    row_.assign(1 + length + kFilterSlack, 0);
    above_.assign(row_.size(), 0);
  }

  /// Of the pass, into row_, after the filter's byte; y is its place in the image.
  void next_row(int y) {
    std::swap(row_, above_);
    if (data_.ended()) return void(std::ranges::fill(row_, uint8_t{0}));
    const auto filtered = std::span(row_).first(row_.size() - kFilterSlack);
    data_.read(filtered);
    const size_t step = static_cast<size_t>((format_.bits + 7) / 8);
    if (!png_unfilter(row_[0], filtered.subspan(1), std::span(above_).subspan(1), step))
      bad_input("{}: PNG: unknown filter {} in row {}", name(), row_[0], y);
  }

  PngChunkReader chunks_;
  const PngHeader& header_;
  PngPixelFormat format_;
  ImageData data_;
  int columns_ = 0;  ///< pixels of a row of the pass
  std::vector<uint8_t> row_, above_;
  MemoryGate::Hold memory_;
  Image image_;  ///< of an interlaced file that is read by rows
};

}  // namespace

std::unique_ptr<RowSource> open_png(std::span<const std::byte> bytes, std::string_view name) {
  return std::make_unique<PngRows>(bytes, name);
}

ImageSize read_png_size(std::span<const std::byte> bytes, std::string_view name) {
  PngChunkReader chunks(bytes, name);
  const PngHeader& header = chunks.read_header();
  png_pixel_format(header, name);
  return checked_size(header.width, header.height, name);
}

}  // namespace effdet::vision
