// The table of picture formats, and the choice among them by content.
#include "vision/formats.h"

#include <array>

#include "base/error.h"
#include "vision/bmp_decode.h"
#include "vision/byte_reader.h"
#include "vision/exif.h"
#include "vision/gif_decode.h"
#include "vision/jpeg_decode.h"
#include "vision/jpeg_header.h"
#include "vision/png_decode.h"
#include "vision/pnm_decode.h"
#include "vision/signatures.h"
#ifdef EFFDET_WEBP
#include "vision/webp_decode.h"
#endif
#ifdef EFFDET_TIFF
#include "vision/tiff_decode.h"
#endif
#ifdef EFFDET_AVIF
#include "vision/avif_decode.h"
#endif
#ifdef EFFDET_HEIF
#include "vision/heif_decode.h"
#endif

namespace effdet::vision {
namespace {

// The usual ones, then those of browsers on Windows (.jfif), of stereo cameras and phones (.mpo) and of cameras (.hif).
constexpr std::array<std::string_view, 5> kJpegNames{".jpg", ".jpeg", ".jfif", ".jpe", ".mpo"};
constexpr std::array<std::string_view, 2> kPngNames{".png", ".apng"}, kTiffNames{".tif", ".tiff"};
constexpr std::array<std::string_view, 1> kBmpNames{".bmp"}, kGifNames{".gif"}, kWebpNames{".webp"},
    kAvifNames{".avif"};
constexpr std::array<std::string_view, 3> kHeifNames{".heic", ".heif", ".hif"};
constexpr std::array<std::string_view, 4> kPnmNames{".ppm", ".pgm", ".pbm", ".pnm"};

ImageSize jpeg_size(std::span<const std::byte> bytes, std::string_view name) {
  return read_jpeg_header(bytes, name).size;
}

#ifdef EFFDET_WEBP
constexpr ImageFormat kWebp{"a WebP file", kWebpNames, "libwebp", open_webp, read_webp_size, webp_orientation};
#else
constexpr ImageFormat kWebp{"a WebP file", kWebpNames, "libwebp"};
#endif
#ifdef EFFDET_TIFF
constexpr ImageFormat kTiff{"a TIFF file", kTiffNames, "libtiff", open_tiff, read_tiff_size};
#else
constexpr ImageFormat kTiff{"a TIFF file", kTiffNames, "libtiff"};
#endif
#ifdef EFFDET_AVIF
constexpr ImageFormat kAvif{"an AVIF file", kAvifNames, "libavif", open_avif, read_avif_size, avif_orientation};
#else
constexpr ImageFormat kAvif{"an AVIF file", kAvifNames, "libavif"};
#endif
#ifdef EFFDET_HEIF
constexpr ImageFormat kHeic{"a HEIC file", kHeifNames, "libheif", open_heif, read_heif_size};
#else
constexpr ImageFormat kHeic{"a HEIC file", kHeifNames, "libheif"};
#endif

/// A format of another kind with the same reader.
constexpr ImageFormat of_kind(std::string_view kind, ImageFormat format) {
  format.kind = kind;
  return format;
}
constexpr ImageFormat kBigTiff = of_kind("a BigTIFF file", kTiff), kHeif = of_kind("a HEIF file", kHeic);

constexpr std::array kImageFormats{
    ImageFormat{"a JPEG file", kJpegNames, {}, open_jpeg, jpeg_size, jpeg_orientation},
    ImageFormat{"a PNG file", kPngNames, {}, open_png, read_png_size, png_orientation},
    ImageFormat{"a BMP file", kBmpNames, {}, open_bmp, read_bmp_size},
    ImageFormat{"a GIF file", kGifNames, {}, open_gif, read_gif_size},
    ImageFormat{"a PNM file", kPnmNames, {}, open_pnm, read_pnm_size},
    kWebp,
    kTiff,
    kBigTiff,
    kAvif,
    kHeic,
    kHeif,
};

}  // namespace

std::span<const ImageFormat> image_formats() { return kImageFormats; }

const ImageFormat& format_of(std::span<const std::byte> bytes, std::string_view name) {
  if (bytes.empty()) bad_input("{}: the file is empty; get the image again", name);
  const auto kind = content_kind(text_of(bytes));
  if (!kind) bad_input("{}: no picture: no format is known that begins so; convert it to JPEG or PNG", name);
  for (const ImageFormat& format : kImageFormats) {
    if (format.kind != kind->what) continue;
    if (format.open != nullptr) return format;
    fail(ErrorCode::kUnsupported, "{}: {}: this build has no {}, which reads it: convert it to JPEG or PNG", name,
         kind->what, format.library);
  }
  fail(kind->code, "{}: {}: {}", name, kind->what, kind->advice);
}

}  // namespace effdet::vision
