// Files that other files name: nothing outside of their folder is opened.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"

namespace effdet::inline base {
namespace {

/// A path as its parts; Error(kBadInput) for anything that could lead out of the folder.
std::vector<std::string> safe_parts(const std::string& location, const std::string& where) {
  if (location.empty()) bad_input("{} has no location", where);
  if (location.find('\0') != std::string::npos) bad_input("{}: the location holds a NUL", where);
  if (location.front() == '/') bad_input("{} at the absolute path '{}' is refused", where, location);
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= location.size();) {
    const size_t end = std::min(location.find('/', begin), location.size());
    const std::string part = location.substr(begin, end - begin);
    if (part == "..") bad_input("{} at '{}' lies outside of the model's folder", where, location);
    if (!part.empty() && part != ".") parts.push_back(part);
    begin = end + 1;
  }
  if (parts.empty()) bad_input("{} at '{}' is a folder", where, location);
  return parts;
}

[[noreturn]] void fail_open_below(const std::string& location, const std::string& where) {
  const int code = errno;
  if (code == ELOOP || code == ENOTDIR)
    bad_input("{} at '{}' is refused: a part of the path is a link or no folder", where, location);
  bad_input("{}: cannot open '{}': {}", where, location, std::strerror(code));
}

}  // namespace

/// Part by part: checking a whole path first and opening it later could be raced.
MappedFile open_below(const std::filesystem::path& folder, const std::string& location, const std::string& where) {
  const std::vector<std::string> parts = safe_parts(location, where);
  auto current = std::make_unique<Descriptor>(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (size_t i = 0; i < parts.size(); ++i) {
    if (current->get() < 0) fail_open_below(location, where);
    const bool last = i + 1 == parts.size();
    const int flags = O_NOFOLLOW | O_CLOEXEC | (last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY);
    current = std::make_unique<Descriptor>(::openat(current->get(), parts[i].c_str(), flags));
  }
  if (current->get() < 0) fail_open_below(location, where);
  struct stat info {};
  if (::fstat(current->get(), &info) != 0) fail_open_below(location, where);
  if (!S_ISREG(info.st_mode)) bad_input("{} at '{}' is no regular file", where, location);
  if (info.st_nlink > 1) bad_input("{} at '{}' is refused: it is a hard link; copy the file instead", where, location);
  return MappedFile(current->get(), (folder / location).string());
}

}  // namespace effdet::inline base
