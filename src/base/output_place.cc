// Follows links and descriptors of an output path, and refuses what cannot be written, before the work begins.
#include "base/output_place.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace effdet::inline base {
namespace {

constexpr int kMostLinks = 40;  // as the kernel follows

/// N of "/dev/fd/N" and "/proc/self/fd/N", which stand for descriptors that are open already: to open them anew would
/// lose their place in a file, and does not work for sockets.
std::optional<int> own_descriptor_of(std::string_view path) {
  const std::string by_id = fmt::format("/proc/{}/fd/", ::getpid());
  for (const std::string_view folder : {std::string_view("/dev/fd/"), std::string_view("/proc/self/fd/"),
                                        std::string_view("/proc/thread-self/fd/"), std::string_view(by_id)}) {
    if (!path.starts_with(folder)) continue;
    const char *begin = path.data() + folder.size(), *end = path.data() + path.size();
    int number = -1;
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error == std::errc() && stop == end && number >= 0) return number;
  }
  return std::nullopt;
}

/// The path that a symbolic link stands for; nothing where it is none.
std::optional<std::string> follow(const std::string& path) {
  char text[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), text, sizeof text);
  if (length <= 0 || length == static_cast<ssize_t>(sizeof text)) return std::nullopt;
  const std::string_view next(text, static_cast<size_t>(length));
  const size_t slash = path.rfind('/');
  return next[0] == '/' || slash == path.npos ? std::string(next) : path.substr(0, slash + 1).append(next);
}

[[noreturn]] void refuse(const OutputPlace& place, std::string_view why) {
  fail(ErrorCode::kIo, "{}: cannot write: {}", place.shown, why);
}

/// Follows the path's links to the end, or to a descriptor.
void follow_links(OutputPlace& place) {
  const std::string given = place.target;
  for (int links = 0;; ++links) {
    if (const auto number = own_descriptor_of(place.target)) return void(place.own_descriptor = *number);
    const auto next = follow(place.target);
    if (!next) break;
    if (links == kMostLinks) refuse(place, std::strerror(ELOOP));
    place.target = *next;
  }
  if (place.target != given) place.shown = fmt::format("{}, which leads to {}", given, place.target);
}

void require_open_for_writing(const OutputPlace& place) {
  const int flags = ::fcntl(place.own_descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
    refuse(place, flags < 0 ? std::strerror(errno) : "it is open for reading alone");
}

void require_writable(const OutputPlace& place) {
  const mode_t mode = place.info.st_mode;
  if (S_ISDIR(mode)) refuse(place, "it is a folder");
  if (S_ISSOCK(mode)) refuse(place, "it is a socket");
  if (S_ISBLK(mode)) refuse(place, "it is a block device, whose content would be lost");
  if (::faccessat(AT_FDCWD, place.target.c_str(), W_OK, AT_EACCESS) != 0) refuse(place, std::strerror(errno));
}

}  // namespace

int OutputPlace::open() const {
  if (own_descriptor >= 0) return ::fcntl(own_descriptor, F_DUPFD_CLOEXEC, 0);
  return ::open(target.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

OutputPlace find_output_place(const std::string& path) {
  if (path.empty()) fail(ErrorCode::kUsage, "the name of the file to write is empty");
  OutputPlace place{.shown = path, .target = path};
  // The kernel follows the links first: it knows which it must not follow.
  place.exists = ::stat(path.c_str(), &place.info) == 0;
  if (!place.exists && errno != ENOENT) refuse(place, std::strerror(errno));
  follow_links(place);
  if (place.own_descriptor >= 0) {
    require_open_for_writing(place);
    place.exists = true;
    return place;
  }
  if (!place.exists) return place;
  struct stat followed {};
  const bool same = ::stat(place.target.c_str(), &followed) == 0 && followed.st_ino == place.info.st_ino &&
                    followed.st_dev == place.info.st_dev;
  if (!same) place.target = path;  // the link is one of /proc's, whose text need not be a path
  place.is_regular = same && S_ISREG(place.info.st_mode);
  require_writable(place);
  return place;
}

}  // namespace effdet::inline base
