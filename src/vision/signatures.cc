// Signatures of image, video and document formats.
#include "vision/signatures.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/ascii.h"
#include "vision/pnm_decode.h"

namespace effdet::vision {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kConvert = "convert it to JPEG or PNG", kFrames = "write its frames as JPEG or PNG files",
                           kPages = "export its pages as JPEG or PNG files", kUnpack = "unpack it",
                           kNoImage = "it holds no image; give a picture, as JPEG or PNG",
                           kDownload = "perhaps the answer to a download that failed; get the image again";

struct Signature {
  std::string_view what, bytes, advice = kConvert;
  size_t offset = 0;
};

// Longer ones before those that they begin with.
constexpr std::array kSignatures{
    Signature{"a JPEG file", "\xFF\xD8\xFF"},
    Signature{"a PNG file", "\x89PNG\r\n\x1A\n"},
    Signature{"a GIF file", "GIF8"},
    Signature{"a Canon raw file (CR2)", "II*\0\x10\0\0\0CR"sv},
    Signature{"a TIFF file", "II*\0"sv},
    Signature{"a TIFF file", "MM\0*"sv},
    Signature{"a BigTIFF file", "II+\0"sv},
    Signature{"a BigTIFF file", "MM\0+"sv},
    Signature{"a JPEG XR file", "II\xBC"sv},
    Signature{"a JPEG 2000 file", "\0\0\0\x0CjP"sv},
    Signature{"a JPEG 2000 codestream", "\xFF\x4F\xFF\x51"sv},
    Signature{"a JPEG XL file", "\0\0\0\x0CJXL "sv},
    Signature{"a JPEG XL codestream", "\xFF\x0A"sv},
    Signature{"a JPEG XS file", "\0\0\0\x0CJXS "sv},
    Signature{"a JPEG XS codestream", "\xFF\x10\xFF\x50"sv},
    Signature{"a PSD file", "8BPS"},
    Signature{"an XCF file", "gimp xcf"},
    Signature{"a BPG file", "BPG\xFB"},
    Signature{"a QOI file", "qoif"},
    Signature{"a FLIF file", "FLIF"},
    Signature{"a DDS file", "DDS "},
    Signature{"an OpenEXR file", "\x76\x2F\x31\x01"},
    Signature{"a Radiance HDR file", "#?RADIANCE"},
    Signature{"a Radiance HDR file", "#?RGBE"},
    Signature{"an MNG file", "\x8AMNG"},
    Signature{"a JNG file", "\x8BJNG"},
    Signature{"a Fujifilm raw file", "FUJIFILMCCD-RAW"},
    Signature{"a Panasonic raw file", "IIU\0"sv},
    Signature{"an Olympus raw file", "IIRO"},
    Signature{"a DICOM file", "DICM", kConvert, 128},
    Signature{"a FITS file", "SIMPLE  ="},
    Signature{"a PDF file", "%PDF", kPages},
    Signature{"a PostScript file", "%!PS", kPages},
    Signature{"a Matroska or WebM video", "\x1A\x45\xDF\xA3", kFrames},
    Signature{"an FLV video", "FLV\x01", kFrames},
    Signature{"a Windows Media file", "\x30\x26\xB2\x75", kFrames},
    Signature{"an MPEG video", "\0\0\1\xBA"sv, kFrames},
    Signature{"an MPEG video", "\0\0\1\xB3"sv, kFrames},
    Signature{"a QuickTime video", "moov", kFrames, 4},
    Signature{"a QuickTime video", "mdat", kFrames, 4},
    Signature{"a QuickTime video", "wide", kFrames, 4},
    Signature{"an Ogg file", "OggS", kNoImage},
    Signature{"a FLAC sound", "fLaC", kNoImage},
    Signature{"an MP3 sound", "ID3", kNoImage},
    Signature{"a zip archive", "PK\x03\x04", kUnpack},
    Signature{"a zip archive", "PK\x05\x06", kUnpack},
    Signature{"a gzip file", "\x1F\x8B", kUnpack},
    Signature{"a bzip2 file", "BZh", kUnpack},
    Signature{"an xz file",
              "\xFD"
              "7zXZ",
              kUnpack},
    Signature{"a Zstandard file", "\x28\xB5\x2F\xFD", kUnpack},
    Signature{"a 7z archive", "7z\xBC\xAF", kUnpack},
    Signature{"a RAR archive", "Rar!", kUnpack},
    Signature{"a tar archive", "ustar", kUnpack, 257},
    Signature{"an HDF5 file", "\x89HDF", kNoImage},
    Signature{"a NumPy array", "\x93NUMPY", kNoImage},
    Signature{"a compiled model", "EFFDETOM", kNoImage},
    Signature{"an SQLite database", "SQLite format 3", kNoImage},
    Signature{"an ELF program",
              "\x7F"
              "ELF",
              kNoImage},
    Signature{"an Office file or Thumbs.db", "\xD0\xCF\x11\xE0", kNoImage},
    Signature{"an AppleDouble file, which macOS leaves beside another", "\0\5\x16\7"sv,
              "it holds no image; leave it out"},
    Signature{"a Git LFS pointer", "version https://git-lfs", "run git lfs pull to get the image that it stands for"},
};

/// Four letters of a RIFF file or a box (ISO base media).
struct Brand {
  std::string_view brand, what, advice = kConvert;
};

constexpr std::array kRiffForms{
    Brand{"WEBP", "a WebP file"},
    Brand{"AVI ", "an AVI video", kFrames},
    Brand{"WAVE", "a WAV sound", kNoImage},
};

// Among the brands of a box, wherever they stand.
constexpr std::array kImageBrands{
    Brand{"avif", "an AVIF file"},
    Brand{"avis", "an AVIF file"},
    Brand{"heic", "a HEIC file"},
    Brand{"heix", "a HEIC file"},
    Brand{"heim", "a HEIC file"},
    Brand{"heis", "a HEIC file"},
    Brand{"hevc", "a HEIC file"},
    Brand{"hevx", "a HEIC file"},
    Brand{"crx ", "a Canon raw file (CR3)"},
    Brand{"jp2 ", "a JPEG 2000 file"},
    Brand{"jpx ", "a JPEG 2000 file"},
    Brand{"jpm ", "a JPEG 2000 file"},
    Brand{"mjp2", "a Motion JPEG 2000 file"},
    Brand{"mif1", "a HEIF file"},
    Brand{"mif2", "a HEIF file"},
    Brand{"msf1", "a HEIF file"},
    Brand{"miaf", "a HEIF file"},
};

// As the first brand, which says what is in the file; the others say who may read it.
constexpr std::array kMajorBrands{
    Brand{"M4A ", "an M4A sound", kNoImage},     Brand{"M4B ", "an M4A sound", kNoImage},
    Brand{"qt  ", "a QuickTime video", kFrames}, Brand{"3gp", "a 3GP video", kFrames},
    Brand{"3g2", "a 3GP video", kFrames},        Brand{"", "an MP4 video", kFrames},
};

std::optional<ContentKind> by_signature(std::string_view content) {
  for (const Signature& signature : kSignatures)
    if (content.size() > signature.offset && content.substr(signature.offset).starts_with(signature.bytes))
      return ContentKind{std::string(signature.what), signature.advice};
  return std::nullopt;
}

uint32_t number(std::string_view content, size_t offset, bool big_endian) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(content[offset + (big_endian ? i : 3 - i)]);
  return value;
}

std::optional<ContentKind> riff_form(std::string_view content) {
  if (content.size() < 12 || (!content.starts_with("RIFF") && !content.starts_with("RF64"))) return std::nullopt;
  for (const Brand& form : kRiffForms)
    if (content.substr(8).starts_with(form.brand)) return ContentKind{std::string(form.what), form.advice};
  return ContentKind{"a RIFF file", kNoImage};
}

/// The box "ftyp": the major brand, a version, and the brands that the file is compatible with. An image's major brand
/// may be a general one, such as "mif1".
std::optional<ContentKind> iso_media(std::string_view content) {
  if (content.size() < 12 || content.substr(4, 4) != "ftyp") return std::nullopt;
  const size_t end = std::min<size_t>({content.size(), number(content, 0, true), 256});
  const auto has = [&](std::string_view brand) {
    bool found = content.substr(8).starts_with(brand);
    for (size_t at = 16; at + 4 <= end; at += 4) found = found || content.substr(at).starts_with(brand);
    return found;
  };
  for (const Brand& known : kImageBrands)
    if (has(known.brand)) return ContentKind{std::string(known.what), known.advice};
  const Brand& known = *std::ranges::find_if(  // the last one is any
      kMajorBrands, [&](const Brand& brand) { return content.substr(8).starts_with(brand.brand); });
  return ContentKind{std::string(known.what), known.advice};
}

std::optional<ContentKind> icon(std::string_view content) {
  constexpr size_t kHeader = 6, kEntry = 16;
  if (content.size() < kHeader + kEntry || !content.starts_with("\0\0"sv) || content[3] != 0) return std::nullopt;
  const bool some = content[4] != 0 && content[5] == 0;
  if (some && content[2] == 1) return ContentKind{"an ICO file", kConvert};
  if (some && content[2] == 2) return ContentKind{"a CUR file", kConvert};
  return std::nullopt;
}

/// "BM" begins many texts: the size of the header behind it has to be one too.
std::optional<ContentKind> bitmap(std::string_view content) {
  if (content.size() < 18 || !content.starts_with("BM")) return std::nullopt;
  const uint32_t header = number(content, 14, false);
  if (header < 12 || header > 124) return std::nullopt;
  return ContentKind{"a BMP file", kConvert};
}

std::optional<ContentKind> transport_stream(std::string_view content) {
  constexpr size_t kPacket = 188;
  if (content.size() < 3 * kPacket) return std::nullopt;
  for (size_t i = 0; i < 3; ++i)
    if (content[i * kPacket] != '\x47') return std::nullopt;
  return ContentKind{"an MPEG transport stream", kFrames};
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Printable, and ASCII for the most part: other alphabets are not looked into.
bool is_text(std::string_view content) {
  size_t ascii = 0;
  for (const char c : content) {
    const auto code = static_cast<unsigned char>(c);
    if (code == 0x7F || (code < 32 && !is_blank(c) && c != '\f')) return false;
    ascii += code < 128;
  }
  return ascii * 4 >= content.size() * 3;
}

std::optional<ContentKind> text_format(std::string_view content) {
  if (content.starts_with("\xFF\xFE") || content.starts_with("\xFE\xFF"))
    return ContentKind{"a UTF-16 text", kNoImage, ErrorCode::kBadInput};
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  while (!content.empty() && is_blank(content.front())) content.remove_prefix(1);
  content = content.substr(0, 4096);
  if (content.empty() || !is_text(content)) return std::nullopt;
  const std::string head = lower_case(std::string(content));
  const auto holds = [&](std::string_view tag) { return head.find(tag) != std::string::npos; };
  if (head.starts_with("<")) {
    if (holds("<svg")) return ContentKind{"an SVG file", kConvert};
    if (holds("<html") || holds("<!doctype html") || holds("<head") || holds("<body"))
      return ContentKind{"an HTML page", kDownload};
    return ContentKind{"an XML or HTML text", kDownload};
  }
  if (head.starts_with("{") || head.starts_with("[")) return ContentKind{"a JSON text", kNoImage, ErrorCode::kBadInput};
  return ContentKind{"a text", kNoImage, ErrorCode::kBadInput};
}

std::optional<ContentKind> zeros(std::string_view content) {
  if (content.find_first_not_of('\0') != std::string_view::npos) return std::nullopt;
  return ContentKind{"nothing but zeros", "what wrote it was interrupted; get the image again", ErrorCode::kBadInput};
}

/// Netpbm's formats, whose headers are text.
std::optional<ContentKind> netpbm(std::string_view content) {
  if (is_pnm(content)) return ContentKind{"a PNM file", kConvert};
  if (content.size() > 2 && content.starts_with("P7") && is_blank(content[2]))
    return ContentKind{"a PAM file", kConvert};
  if (content.starts_with("PF\n") || content.starts_with("Pf\n")) return ContentKind{"a PFM file", kConvert};
  return std::nullopt;
}

}  // namespace

std::optional<ContentKind> content_kind(std::string_view content) {
  for (const auto recognise :
       {netpbm, by_signature, riff_form, iso_media, icon, bitmap, transport_stream, text_format, zeros})
    if (auto format = recognise(content)) return format;
  return std::nullopt;
}

}  // namespace effdet::vision
