// Walks through the chunks of a WebP file, and lets libwebp decode the first picture in it.
#include "vision/webp_decode.h"

#include <webp/decode.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/shared_library.h"
#include "vision/byte_reader.h"
#include "vision/exif.h"
#include "vision/limits.h"
#include "vision/whole_rows.h"

namespace effdet::vision {
namespace {

/// The functions of libwebp that decoding needs. Names and types are those of its header.
struct Webp {
  SharedLibrary library{EFFDET_WEBP, "libwebp7"};
  decltype(WebPGetFeaturesInternal)* features =
      library.function<decltype(WebPGetFeaturesInternal)>("WebPGetFeaturesInternal");
  decltype(WebPDecodeRGBInto)* decode = library.function<decltype(WebPDecodeRGBInto)>("WebPDecodeRGBInto");
};

const Webp& webp() {
  static const Webp loaded;
  return loaded;
}

constexpr size_t kRiffHeader = 12, kChunkHeader = 8;

/// The content of the first chunk of that name behind a place; nothing where there is none.
std::optional<std::span<const std::byte>> find_chunk(std::span<const std::byte> bytes, size_t at,
                                                     std::initializer_list<std::string_view> names) {
  while (at + kChunkHeader <= bytes.size()) {
    const std::string_view name = text_of(bytes.subspan(at, 4));
    uint32_t length = 0;
    for (size_t i = 0; i < 4; ++i) length |= static_cast<uint32_t>(bytes[at + 4 + i]) << 8 * i;
    if (length > bytes.size() - at - kChunkHeader) length = static_cast<uint32_t>(bytes.size() - at - kChunkHeader);
    if (std::ranges::find(names, name) != names.end()) return bytes.subspan(at + kChunkHeader, length);
    at += kChunkHeader + length + length % 2;
  }
  return std::nullopt;
}

/// What libwebp decodes, and where it lies in the picture.
struct WebpFrame {
  std::span<const std::byte> data;  ///< the file, or the bit stream of an animation's first frame
  ImageSize canvas, size;
  uint32_t x = 0, y = 0;
};

WebPBitstreamFeatures features_of(std::span<const std::byte> data, std::string_view name) {
  WebPBitstreamFeatures features{};
  const auto status =
      webp().features(reinterpret_cast<const uint8_t*>(data.data()), data.size(), &features, WEBP_DECODER_ABI_VERSION);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) bad_input("{}: WebP: cut short within the header", name);
  if (status != VP8_STATUS_OK) bad_input("{}: WebP: broken header", name);
  return features;
}

ImageSize size_of(const WebPBitstreamFeatures& features, std::string_view name) {
  return checked_size(static_cast<uint32_t>(features.width), static_cast<uint32_t>(features.height), name);
}

WebpFrame read_frame(std::span<const std::byte> bytes, std::string_view name) {
  const WebPBitstreamFeatures features = features_of(bytes, name);
  WebpFrame frame{bytes, size_of(features, name), size_of(features, name)};
  if (features.has_animation == 0) return frame;
  const auto chunk = find_chunk(bytes, kRiffHeader, {"ANMF"});
  constexpr size_t kFrameHeader = 16;
  if (!chunk || chunk->size() < kFrameHeader) bad_input("{}: WebP: an animation without a frame", name);
  const ByteReader header(*chunk, name, "WebP");
  frame.x = 2 * (header.u16(0) | header.u8(2) << 16);
  frame.y = 2 * (header.u16(3) | header.u8(5) << 16);
  const auto data = find_chunk(*chunk, kFrameHeader, {"VP8 ", "VP8L"});
  if (!data) bad_input("{}: WebP: a frame without a picture", name);
  frame.data = *data;
  frame.size = size_of(features_of(*data, name), name);
  if (frame.x + static_cast<uint64_t>(frame.size.width) > static_cast<uint64_t>(frame.canvas.width) ||
      frame.y + static_cast<uint64_t>(frame.size.height) > static_cast<uint64_t>(frame.canvas.height))
    bad_input("{}: WebP: the first frame reaches out of the picture", name);
  return frame;
}

class WebpRows : public WholeRows {
 public:
  WebpRows(std::span<const std::byte> bytes, std::string_view name)
      : WholeRows(name), frame_(read_frame(bytes, this->name())) {
    set_size(frame_.canvas);
    require_plausible(frame_.canvas, bytes.size(), name);
  }

 private:
  void decode_all(uint8_t* rgb) override {
    const size_t all = static_cast<size_t>(row_bytes()) * static_cast<size_t>(size().height);
    if (frame_.size != frame_.canvas) std::memset(rgb, 0, all);
    const size_t offset = frame_.y * static_cast<size_t>(row_bytes()) + 3 * size_t{frame_.x};
    if (webp().decode(reinterpret_cast<const uint8_t*>(frame_.data.data()), frame_.data.size(), rgb + offset,
                      all - offset, static_cast<int>(row_bytes())) == nullptr)
      bad_input("{}: WebP: broken or cut short", name());
  }
  uint64_t more_bytes() const override {  // of lossless pictures
    return uint64_t{4} * static_cast<uint64_t>(frame_.size.width) * static_cast<uint64_t>(frame_.size.height);
  }

  WebpFrame frame_;
};

}  // namespace

std::unique_ptr<RowSource> open_webp(std::span<const std::byte> bytes, std::string_view name) {
  return std::make_unique<WebpRows>(bytes, name);
}

ImageSize read_webp_size(std::span<const std::byte> bytes, std::string_view name) {
  return read_frame(bytes, name).canvas;
}

int webp_orientation(std::span<const std::byte> bytes) {
  const auto chunk = find_chunk(bytes, kRiffHeader, {"EXIF"});
  return chunk ? exif_orientation(text_of(*chunk)) : 1;
}

}  // namespace effdet::vision
