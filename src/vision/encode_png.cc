// Writes an image as a PNG in memory, by zlib.
#include <zlib.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"
#include "vision/encode.h"

namespace effdet::vision {
namespace {

void append_u32(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

void append_chunk(std::string& out, std::string_view type, std::string_view content) {
  append_u32(out, static_cast<uint32_t>(content.size()));
  const size_t begin = out.size();
  out.append(type).append(content);
  append_u32(out,
             static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(out.data() + begin), out.size() - begin)));
}

/// Deflates rows as they come.
class Deflater {
 public:
  Deflater() {
    if (deflateInit(&stream_, Z_DEFAULT_COMPRESSION) != Z_OK) fail(ErrorCode::kOutOfMemory, "no memory to deflate");
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  void add(const std::string& bytes, bool last) {
    stream_.next_in = reinterpret_cast<const Bytef*>(bytes.data());
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(scratch_.data());
      stream_.avail_out = static_cast<uInt>(scratch_.size());
      deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      deflated_.append(scratch_.data(), scratch_.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  const std::string& deflated() const { return deflated_; }

 private:
  z_stream stream_{};
  std::array<char, 1 << 15> scratch_;
  std::string deflated_;
};

/// The row with PNG's filter 2 (difference to the row above): good for photographs and for drawings alike.
std::string filtered_row(const Image& image, int y) {
  constexpr char kUp = 2;
  std::string row(image.row_bytes() + 1, kUp);
  const uint8_t* above = y > 0 ? image.row(y - 1) : nullptr;
  for (size_t i = 0; i < image.row_bytes(); ++i)
    row[i + 1] = static_cast<char>(image.row(y)[i] - (above ? above[i] : 0));
  return row;
}

}  // namespace

std::vector<std::byte> encode_png(const Image& image) {
  std::string header;
  append_u32(header, static_cast<uint32_t>(image.width()));
  append_u32(header, static_cast<uint32_t>(image.height()));
  // 8 bits, RGB, deflate, adaptive filters, not interlaced.
  header.append({8, 2, 0, 0, 0});

  Deflater deflater;
  for (int y = 0; y < image.height(); ++y) deflater.add(filtered_row(image, y), y + 1 == image.height());

  std::string file("\x89PNG\r\n\x1A\n");
  append_chunk(file, "IHDR", header);
  // A chunk holds less than 2 GiB.
  constexpr size_t kPart = size_t{1} << 30;
  const std::string_view deflated = deflater.deflated();
  for (size_t at = 0; at < deflated.size(); at += kPart) append_chunk(file, "IDAT", deflated.substr(at, kPart));
  append_chunk(file, "IEND", "");
  const auto* begin = reinterpret_cast<const std::byte*>(file.data());
  return {begin, begin + file.size()};
}

}  // namespace effdet::vision
