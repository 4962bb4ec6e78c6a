// Drives libavif: parsing, the first picture, and its conversion to RGB.
#include "vision/avif_decode.h"

#include <avif/avif.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/shared_library.h"
#include "vision/limits.h"
#include "vision/whole_rows.h"

namespace effdet::vision {
namespace {

/// The functions of libavif that decoding needs. Names and types are those of its header.
struct Avif {
  SharedLibrary library{EFFDET_AVIF, "libavif15"};
  decltype(avifDecoderCreate)* create = library.function<decltype(avifDecoderCreate)>("avifDecoderCreate");
  decltype(avifDecoderDestroy)* destroy = library.function<decltype(avifDecoderDestroy)>("avifDecoderDestroy");
  decltype(avifDecoderSetIOMemory)* set_memory =
      library.function<decltype(avifDecoderSetIOMemory)>("avifDecoderSetIOMemory");
  decltype(avifDecoderParse)* parse = library.function<decltype(avifDecoderParse)>("avifDecoderParse");
  decltype(avifDecoderNextImage)* next_image = library.function<decltype(avifDecoderNextImage)>("avifDecoderNextImage");
  decltype(avifRGBImageSetDefaults)* rgb_defaults =
      library.function<decltype(avifRGBImageSetDefaults)>("avifRGBImageSetDefaults");
  decltype(avifImageYUVToRGB)* to_rgb = library.function<decltype(avifImageYUVToRGB)>("avifImageYUVToRGB");
  decltype(avifResultToString)* words = library.function<decltype(avifResultToString)>("avifResultToString");
};

const Avif& avif() {
  static const Avif loaded;
  return loaded;
}

/// A file whose header was read.
class AvifFile {
 public:
  AvifFile(std::span<const std::byte> bytes, std::string_view name)
      : name_(name), decoder_(avif().create(), avif().destroy) {
    if (!decoder_) fail(ErrorCode::kOutOfMemory, "{}: no memory for libavif", name);
    decoder_->strictFlags = AVIF_STRICT_DISABLED;  // as Pillow
    decoder_->ignoreExif = decoder_->ignoreXMP = AVIF_TRUE;
    decoder_->imageSizeLimit = kMaxPixels;
    decoder_->maxThreads = 1;
    check(avif().set_memory(decoder_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
    check(avif().parse(decoder_.get()));
    size_ = checked_size(decoder_->image->width, decoder_->image->height, name);
  }

  ImageSize size() const { return size_; }
  const avifImage& image() const { return *decoder_->image; }
  void decode(uint8_t* rgb, ptrdiff_t row_bytes) {
    check(avif().next_image(decoder_.get()));
    avifRGBImage target{};
    avif().rgb_defaults(&target, decoder_->image);
    target.depth = 8;
    target.format = decoder_->alphaPresent ? AVIF_RGB_FORMAT_RGBA : AVIF_RGB_FORMAT_RGB;  // other roundings
    std::vector<uint8_t> rgba(decoder_->alphaPresent ? size_t{4} * target.width * target.height : 0);
    target.pixels = rgba.empty() ? rgb : rgba.data();
    target.rowBytes = rgba.empty() ? static_cast<uint32_t>(row_bytes) : 4 * target.width;
    if (target.width != static_cast<uint32_t>(size_.width) || target.height != static_cast<uint32_t>(size_.height))
      bad_input("{}: AVIF: {} x {} pixels in the picture, {} x {} in the header", name_, target.width, target.height,
                size_.width, size_.height);
    check(avif().to_rgb(decoder_->image, &target));
    for (size_t i = 0; i < rgba.size(); i += 4, rgb += 3) std::copy_n(rgba.data() + i, 3, rgb);
  }

 private:
  void check(avifResult result) const {
    if (result == AVIF_RESULT_OK) return;
    if (result == AVIF_RESULT_OUT_OF_MEMORY) fail(ErrorCode::kOutOfMemory, "{}: no memory to decode it", name_);
    const bool is_missing = result == AVIF_RESULT_NO_CODEC_AVAILABLE;
    fail(is_missing ? ErrorCode::kUnsupported : ErrorCode::kBadInput, "{}: AVIF: {}", name_, avif().words(result));
  }

  std::string_view name_;
  std::unique_ptr<avifDecoder, decltype(&avifDecoderDestroy)> decoder_;
  ImageSize size_;
};

class AvifRows : public WholeRows {
 public:
  AvifRows(std::span<const std::byte> bytes, std::string_view name) : WholeRows(name), file_(bytes, this->name()) {
    set_size(file_.size());
    require_plausible(size(), bytes.size(), name);
  }

 private:
  void decode_all(uint8_t* rgb) override { file_.decode(rgb, row_bytes()); }
  uint64_t more_bytes() const override {  // planes of up to 16 bits, and RGBA
    return uint64_t{12} * static_cast<uint64_t>(size().width) * static_cast<uint64_t>(size().height);
  }

  AvifFile file_;
};

}  // namespace

std::unique_ptr<RowSource> open_avif(std::span<const std::byte> bytes, std::string_view name) {
  return std::make_unique<AvifRows>(bytes, name);
}

ImageSize read_avif_size(std::span<const std::byte> bytes, std::string_view name) {
  return AvifFile(bytes, name).size();
}

int avif_orientation(std::span<const std::byte> bytes) {
  const AvifFile file(bytes, "");
  const avifImage& image = file.image();
  const int quarters = (image.transformFlags & AVIF_TRANSFORM_IROT) != 0 ? image.irot.angle & 3 : 0;  // to the left
  const bool mirrored = (image.transformFlags & AVIF_TRANSFORM_IMIR) != 0;
  constexpr int kTurned[4] = {1, 8, 3, 6}, kLeftRight[4] = {2, 7, 4, 5}, kTopBottom[4] = {4, 5, 2, 7};
  if (!mirrored) return kTurned[quarters];
  return image.imir.mode == 1 ? kLeftRight[quarters] : kTopBottom[quarters];
}

}  // namespace effdet::vision
