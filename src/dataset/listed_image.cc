// Opens images of a list, and finds those in tar files.
#include "dataset/listed_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"
#include "dataset/formats/records.h"
#include "dataset/tar_file.h"
#include "effdet/image.h"
#include "eval/coco_json.h"
#include "fetch/read_url.h"
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

/// Of what is no file of its own.
std::shared_ptr<const std::vector<std::byte>> read_bytes(const ListedImage& image, bool private_addresses) {
  if (image.content) return image.content;
  if (!image.member.empty()) return read_member(image);
  return std::make_shared<const std::vector<std::byte>>(
      fetch::read_url(image.file, {.private_addresses = private_addresses}));
}

}  // namespace

/// Links among the members of a tar file that are named as images.
class LinksOfTar {
 public:
  /// A hard link, the image at that place in the list.
  void add(size_t place, std::string target) { hard_.emplace_back(place, std::move(target)); }
  void leave_out(const std::string& name) {
    if (left_out_++ == 0) first_ = name;
  }

  /// Gives hard links the places of what they lead to, by a second look at the headers where there are any, and takes
  /// those out that lead nowhere.
  void resolve(const std::filesystem::path& tar, std::vector<ListedImage>& images) {
    if (hard_.empty()) return;
    std::unordered_map<std::string, std::optional<TarMember>> targets;
    for (const auto& [place, target] : hard_) targets.try_emplace(target);
    for_each_member(tar, [&](const TarMember& member) {
      if (member.kind != TarKind::kFile) return;
      if (const auto wanted = targets.find(member.name); wanted != targets.end()) wanted->second = member;
    });
    std::unordered_set<size_t> lost;
    for (const auto& [place, target] : hard_) {
      if (const std::optional<TarMember>& member = targets.at(target)) {
        images[place].offset = member->offset;
        images[place].bytes = member->bytes;
      } else {
        leave_out(images[place].member);
        lost.insert(place);
      }
    }
    size_t place = 0;
    std::erase_if(images, [&](const ListedImage&) { return lost.contains(place++); });
  }

  /// Empty where all could be resolved.
  std::string note() const {
    if (left_out_ == 0) return {};
    return fmt::format(
        "{} link{} to images left out, which lead to no file in it (the first is '{}'); tar --dereference packs what "
        "links lead to",
        left_out_, left_out_ == 1 ? "" : "s", eval::printable(first_));
  }

 private:
  std::vector<std::pair<size_t, std::string>> hard_;
  size_t left_out_ = 0;
  std::string first_;
};

std::unique_ptr<vision::RowSource> open_listed(const ListedImage& image, const DetectImagesOptions& options) {
  int orientation = 1;
  auto rows = open_stored(image, orientation, options.private_addresses);
  return options.upright && orientation != 1 ? vision::upright(std::move(rows), orientation) : std::move(rows);
}

std::unique_ptr<vision::RowSource> open_stored(const ListedImage& image, int& orientation, bool private_addresses) {
  const bool is_file = image.member.empty() && !image.content && !fetch::is_url(image.file);
  if (is_file) return vision::open_image(std::filesystem::path(image.file), orientation);
  const auto bytes = read_bytes(image, private_addresses);
  auto rows = vision::open_image(*bytes, image.name());
  rows->keep(bytes);
  orientation = vision::image_orientation(*bytes);
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
  if (image.content) return image.content->size();
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

std::vector<ListedImage> images_of_tar(const std::filesystem::path& tar,
                                       const std::function<void(const std::string&)>& on_note) {
  std::vector<ListedImage> images;
  dataset::LinksOfTar links;
  dataset::for_each_member(tar, [&](dataset::TarMember member) {
    if (dataset::last_part(member.name).starts_with('.') || !is_image_name(member.name)) return;
    if (member.kind == dataset::TarKind::kSymbolicLink) return links.leave_out(member.name);
    if (member.kind == dataset::TarKind::kHardLink) links.add(images.size(), std::move(member.target));
    images.push_back({tar.string(), "", std::move(member.name), member.offset, member.bytes});
  });
  links.resolve(tar, images);
  if (on_note && !links.note().empty()) on_note(fmt::format("{}: {}", tar.string(), links.note()));
  if (images.empty())
    fail(ErrorCode::kUsage, "{}: no pictures in this tar file ({})", tar.string(), image_extensions());
  return images;
}

}  // namespace effdet
