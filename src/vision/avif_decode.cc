// Drives libavif: parsing, the first picture, and its conversion to RGB.
#include "vision/avif_decode.h"

#include <avif/avif.h>

#include <algorithm>
#include <array>
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

/// Whether libyuv, which libavif prefers to its own arithmetic, knows the picture's matrix.
bool has_matrix_of_libyuv(const avifImage& image) {
  switch (image.matrixCoefficients) {
    case AVIF_MATRIX_COEFFICIENTS_BT709:
    case AVIF_MATRIX_COEFFICIENTS_UNSPECIFIED:
    case AVIF_MATRIX_COEFFICIENTS_BT470BG:
    case AVIF_MATRIX_COEFFICIENTS_BT601:
    case AVIF_MATRIX_COEFFICIENTS_BT2020_NCL:
      return true;
    case AVIF_MATRIX_COEFFICIENTS_CHROMA_DERIVED_NCL:
      return image.colorPrimaries == AVIF_COLOR_PRIMARIES_BT709 ||
             image.colorPrimaries == AVIF_COLOR_PRIMARIES_UNSPECIFIED ||
             image.colorPrimaries == AVIF_COLOR_PRIMARIES_BT470BG ||
             image.colorPrimaries == AVIF_COLOR_PRIMARIES_BT601 || image.colorPrimaries == AVIF_COLOR_PRIMARIES_BT2020;
    default:
      return false;
  }
}

/// The libavif in Pillow cuts samples of 10 and 12 bits off to 8 where libyuv converts these alone; libavif before 1.0
/// computes such pictures itself, up to 58 of 255 away at edges of colours (measured with pictures of 10 bits).
bool needs_eight_bits(const avifImage& image, bool alpha) {
  if (image.depth <= 8 || !has_matrix_of_libyuv(image)) return false;
  if (image.yuvFormat == AVIF_PIXEL_FORMAT_YUV400) return alpha;
  return !alpha || (image.depth == 12 && image.yuvFormat != AVIF_PIXEL_FORMAT_YUV420);
}

/// A picture with the high 8 bits of another one's samples.
class EightBits {
 public:
  explicit EightBits(const avifImage& from) : image_(from) {
    const uint32_t half_width = (from.width + 1) / 2, half_height = (from.height + 1) / 2;
    const uint32_t width = from.yuvFormat == AVIF_PIXEL_FORMAT_YUV444 ? from.width : half_width;
    const uint32_t height = from.yuvFormat == AVIF_PIXEL_FORMAT_YUV420 ? half_height : from.height;
    image_.depth = 8;
    for (int i = 0; i < AVIF_PLANE_COUNT_YUV; ++i)
      if (from.yuvPlanes[i] != nullptr)
        cut(from.yuvPlanes[i], from.yuvRowBytes[i], i == 0 ? from.width : width, i == 0 ? from.height : height,
            from.depth, planes_[i], image_.yuvPlanes[i], image_.yuvRowBytes[i]);
    if (from.alphaPlane != nullptr)
      cut(from.alphaPlane, from.alphaRowBytes, from.width, from.height, from.depth, planes_[3], image_.alphaPlane,
          image_.alphaRowBytes);
  }
  EightBits(const EightBits&) = delete;
  EightBits& operator=(const EightBits&) = delete;

  const avifImage& image() const { return image_; }

 private:
  static void cut(const uint8_t* from, size_t from_row_bytes, uint32_t width, uint32_t height, uint32_t depth,
                  std::vector<uint8_t>& plane, uint8_t*& data, uint32_t& row_bytes) {
    plane.resize(size_t{width} * height);
    for (size_t y = 0; y < height; ++y) {
      const auto* row = reinterpret_cast<const uint16_t*>(from + y * from_row_bytes);
      std::transform(row, row + width, plane.begin() + static_cast<ptrdiff_t>(y * width),
                     [&](uint16_t sample) { return static_cast<uint8_t>(sample >> (depth - 8)); });
    }
    data = plane.data();
    row_bytes = width;
  }

  avifImage image_;  ///< a copy that owns nothing: libavif only reads it
  std::array<std::vector<uint8_t>, 4> planes_;
};

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
    if (needs_eight_bits(*decoder_->image, !rgba.empty()))
      check(avif().to_rgb(&EightBits(*decoder_->image).image(), &target));
    else
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
  uint64_t more_bytes() const override {  // planes of up to 16 bits, the same of 8, and RGBA
    return uint64_t{16} * static_cast<uint64_t>(size().width) * static_cast<uint64_t>(size().height);
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
