// Opens images of a list, and finds those in tar files.
#include "dataset/listed_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"
#include "dataset/formats/records.h"
#include "dataset/tar_file.h"
#include "vision/decode.h"
#include "vision/exif.h"

namespace effdet::dataset {
namespace {

/// Into memory, as files of images are read: one that becomes shorter meanwhile is an error and nothing worse.
std::shared_ptr<const std::vector<std::byte>> read_member(const ListedImage& image) {
  const Descriptor file(::open(image.file.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail(ErrorCode::kIo, "{}: cannot open: {}", image.file, std::strerror(errno));
  auto bytes = std::make_shared<std::vector<std::byte>>(image.bytes);
  for (size_t done = 0; done < bytes->size();) {
    const ssize_t got =
        ::pread(file.get(), bytes->data() + done, bytes->size() - done, static_cast<off_t>(image.offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorCode::kIo, "{}: cannot read: {}", image.name(), std::strerror(errno));
    if (got == 0) fail(ErrorCode::kIo, "{}: the tar file has become shorter", image.name());
    done += static_cast<size_t>(got);
  }
  return bytes;
}

}  // namespace

std::unique_ptr<vision::RowSource> open_listed(const ListedImage& image) {
  int ignored = 0;
  return open_listed(image, ignored);
}

std::unique_ptr<vision::RowSource> open_listed(const ListedImage& image, int& orientation) {
  if (image.member.empty()) return vision::open_image(std::filesystem::path(image.file), orientation);
  const auto bytes = read_member(image);
  auto rows = vision::open_image(*bytes, image.name());
  rows->keep(bytes);
  orientation = vision::exif_orientation(*bytes);
  return rows;
}

std::shared_ptr<const std::vector<std::byte>> read_listed(const ListedImage& image) {
  if (!image.member.empty()) return read_member(image);
  const MappedFile file{std::filesystem::path(image.file)};
  return std::make_shared<const std::vector<std::byte>>(file.bytes().begin(), file.bytes().end());
}

vision::ImageSize size_of_listed(const ListedImage& image) {
  if (image.member.empty()) return vision::read_image_size(std::filesystem::path(image.file));
  return vision::read_image_size(*read_member(image), image.name());
}

uint64_t bytes_of_listed(const ListedImage& image) {
  if (!image.member.empty()) return image.bytes;
  std::error_code error;
  const uintmax_t bytes = std::filesystem::file_size(image.file, error);
  return error ? 0 : bytes;
}

std::string key_of(const ListedImage& image) {
  const std::string_view file = last_part(image.member);
  const size_t folder = image.member.size() - file.size();
  return image.member.substr(0, folder + std::min(file.find('.'), file.size()));
}

}  // namespace effdet::dataset

namespace effdet {

std::string ListedImage::name() const { return member.empty() ? file : file + "/" + member; }

std::vector<ListedImage> images_of_tar(const std::filesystem::path& tar) {
  std::vector<ListedImage> images;
  dataset::for_each_member(tar, [&](dataset::TarMember member) {
    if (!dataset::last_part(member.name).starts_with('.') && dataset::is_image_name(member.name))
      images.push_back({tar.string(), "", std::move(member.name), member.offset, member.bytes});
  });
  if (images.empty()) fail(ErrorCode::kUsage, "{}: no .jpg, .jpeg or .png in this tar file", tar.string());
  return images;
}

}  // namespace effdet
