#include "vision/decode.h"

#include <array>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "vision/exif.h"
#include "vision/jpeg_decode.h"
#include "vision/jpeg_header.h"
#include "vision/png_decode.h"

namespace effdet {
namespace {

constexpr uint64_t kFileLimit = uint64_t{1} << 31;

enum class Format { kJpeg, kPng };

struct Signature {
  std::string_view name, prefix;
};

// Formats that Pillow would open and this library does not: they deserve a better message than "not an image".
constexpr std::array kOthers{Signature{"GIF", "GIF8"},
                             Signature{"BMP", "BM"},
                             Signature{"WebP", "RIFF"},
                             Signature{"TIFF", {"II*\0", 4}},
                             Signature{"TIFF", {"MM\0*", 4}},
                             Signature{"JPEG 2000", {"\0\0\0\x0CjP", 6}},
                             Signature{"AVIF", {"\0\0\0 ftyp", 8}}};

Format recognise(std::span<const std::byte> bytes, std::string_view name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xFF\xD8\xFF")) return Format::kJpeg;
  if (text.starts_with("\x89PNG\r\n\x1A\n")) return Format::kPng;
  if (text.empty()) bad_input("{}: the file is empty", name);
  for (const Signature& other : kOthers)
    if (text.starts_with(other.prefix))
      fail(ErrorCode::kUnsupported, "{}: a {} file: convert it to JPEG or PNG", name, other.name);
  bad_input("{}: neither JPEG nor PNG: no signature of either at offset 0", name);
}

std::span<const std::byte> bytes_of(const std::string& content) { return std::as_bytes(std::span(content)); }

}  // namespace

std::unique_ptr<RowSource> open_image(std::span<const std::byte> bytes, std::string_view name) {
  return recognise(bytes, name) == Format::kJpeg ? open_jpeg(bytes, name) : open_png(bytes, name);
}

std::unique_ptr<RowSource> open_image(const std::filesystem::path& path) {
  int ignored = 0;
  return open_image(path, ignored);
}

std::unique_ptr<RowSource> open_image(const std::filesystem::path& path, int& orientation) {
  // Read and not mapped: a mapping dies with SIGBUS where somebody shortens the file meanwhile.
  const auto content = std::make_shared<const std::string>(read_file(path, kFileLimit));
  auto rows = open_image(bytes_of(*content), path.string());
  rows->keep(content);
  orientation = exif_orientation(bytes_of(*content));
  return rows;
}

Image decode_image(std::span<const std::byte> bytes, std::string_view name) { return whole_image(*open_image(bytes, name)); }

Image decode_image(const std::filesystem::path& path) { return whole_image(*open_image(path)); }

ImageSize read_image_size(std::span<const std::byte> bytes, std::string_view name) {
  return recognise(bytes, name) == Format::kJpeg ? read_jpeg_header(bytes, name).size : read_png_size(bytes, name);
}

ImageSize read_image_size(const std::filesystem::path& path) {
  const MappedFile file(path);
  return read_image_size(file.bytes(), file.path());
}

}  // namespace effdet
