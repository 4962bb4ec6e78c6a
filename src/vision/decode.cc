// Opens pictures through the reader of their format.
#include "vision/decode.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "vision/formats.h"

namespace effdet::vision {
namespace {

constexpr uint64_t kFileLimit = uint64_t{1} << 31;

std::span<const std::byte> bytes_of(const std::string& content) { return std::as_bytes(std::span(content)); }

/// Read and not mapped: a mapping dies with SIGBUS where somebody shortens the file meanwhile.
std::shared_ptr<const std::string> content_of(const std::filesystem::path& path) {
  return std::make_shared<const std::string>(read_file(path, kFileLimit));
}

std::unique_ptr<RowSource> open_content(std::shared_ptr<const std::string> content, const std::filesystem::path& path) {
  auto rows = open_image(bytes_of(*content), path.string());
  rows->keep(std::move(content));
  return rows;
}

}  // namespace

std::unique_ptr<RowSource> open_image(std::span<const std::byte> bytes, std::string_view name) {
  return format_of(bytes, name).open(bytes, name);
}

std::unique_ptr<RowSource> open_image(const std::filesystem::path& path) {
  return open_content(content_of(path), path);
}

std::unique_ptr<RowSource> open_image(const std::filesystem::path& path, int& orientation) {
  const auto content = content_of(path);
  auto rows = open_content(content, path);
  orientation = image_orientation(bytes_of(*content));
  return rows;
}

Image decode_image(std::span<const std::byte> bytes, std::string_view name) {
  return whole_image(*open_image(bytes, name));
}

Image decode_image(const std::filesystem::path& path) { return whole_image(*open_image(path)); }

ImageSize read_image_size(std::span<const std::byte> bytes, std::string_view name) {
  return format_of(bytes, name).read_size(bytes, name);
}

ImageSize read_image_size(const std::filesystem::path& path) {
  const MappedFile file(path);
  return read_image_size(file.bytes(), file.path());
}

int image_orientation(std::span<const std::byte> bytes) try {
  const auto orientation = format_of(bytes, "").orientation;
  return orientation == nullptr ? 1 : orientation(bytes);
} catch (const Error&) {
  return 1;
}

}  // namespace effdet::vision
