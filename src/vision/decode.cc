// Recognises JPEG and PNG by content and opens the reader of each; names other formats in the error.
#include "vision/decode.h"

#include <string>

#include "base/error.h"
#include "base/file.h"
#include "vision/exif.h"
#include "vision/foreign_formats.h"
#include "vision/jpeg_decode.h"
#include "vision/jpeg_header.h"
#include "vision/png_decode.h"

namespace effdet::vision {
namespace {

constexpr uint64_t kFileLimit = uint64_t{1} << 31;

enum class Format { kJpeg, kPng };

Format recognise(std::span<const std::byte> bytes, std::string_view name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xFF\xD8\xFF")) return Format::kJpeg;
  if (text.starts_with("\x89PNG\r\n\x1A\n")) return Format::kPng;
  if (text.empty()) bad_input("{}: the file is empty; get the image again", name);
  if (const auto other = foreign_format(text)) fail(other->code, "{}: {}: {}", name, other->what, other->advice);
  bad_input("{}: neither JPEG nor PNG: no signature of either at offset 0; convert it to one of them", name);
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

Image decode_image(std::span<const std::byte> bytes, std::string_view name) {
  return whole_image(*open_image(bytes, name));
}

Image decode_image(const std::filesystem::path& path) { return whole_image(*open_image(path)); }

ImageSize read_image_size(std::span<const std::byte> bytes, std::string_view name) {
  return recognise(bytes, name) == Format::kJpeg ? read_jpeg_header(bytes, name).size : read_png_size(bytes, name);
}

ImageSize read_image_size(const std::filesystem::path& path) {
  const MappedFile file(path);
  return read_image_size(file.bytes(), file.path());
}

}  // namespace effdet::vision
