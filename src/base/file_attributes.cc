// Copies owner, mode and extended attributes from a file that is replaced to its successor.
#include "base/file_attributes.h"

#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>

namespace effdet::inline base {
namespace {

constexpr std::string_view kAccessList = "system.posix_acl_access", kKernels = "security.", kLabel = "security.selinux";

/// Calls a function of the kind of getxattr(2), which writes into a buffer and tells the size it needs.
template <typename Call>
std::optional<std::string> read_sized(Call call) {
  std::string buffer;
  for (;;) {
    const ssize_t needed = call(nullptr, 0);
    if (needed < 0) return std::nullopt;
    buffer.resize(static_cast<size_t>(needed));
    const ssize_t got = call(buffer.data(), buffer.size());
    if (got < 0 && errno == ERANGE) continue;  // grew meanwhile
    if (got < 0) return std::nullopt;
    buffer.resize(static_cast<size_t>(got));
    return buffer;
  }
}

bool copy_attribute(const std::string& path, const std::string& name, int descriptor) {
  const auto value =
      read_sized([&](char* to, size_t size) { return ::getxattr(path.c_str(), name.c_str(), to, size); });
  if (!value) return errno == ENODATA;
  const auto present =
      read_sized([&](char* to, size_t size) { return ::fgetxattr(descriptor, name.c_str(), to, size); });
  return present == value || ::fsetxattr(descriptor, name.c_str(), value->data(), value->size(), 0) == 0;
}

bool copy_extended_attributes(const std::string& path, int descriptor) {
  const auto names = read_sized([&](char* to, size_t size) { return ::listxattr(path.c_str(), to, size); });
  if (!names) return errno == ENOTSUP;
  bool has_access_list = false;
  for (size_t at = 0; at < names->size();) {
    const std::string name = names->c_str() + at;
    at += name.size() + 1;
    has_access_list |= name == kAccessList;
    if (name.starts_with(kKernels) && name != kLabel) continue;  // of the content that was there
    if (!copy_attribute(path, name, descriptor)) return false;
  }
  // What the folder gives to new files may be more than the old file allowed.
  return has_access_list || ::fremovexattr(descriptor, kAccessList.data()) == 0 || errno == ENODATA || errno == ENOTSUP;
}

}  // namespace

bool copy_attributes(const std::string& path, const struct stat& info, int descriptor) {
  struct stat own {};
  if (::fstat(descriptor, &own) != 0) return false;
  const bool same_owner = own.st_uid == info.st_uid && own.st_gid == info.st_gid;
  if (!same_owner && ::fchown(descriptor, info.st_uid, info.st_gid) != 0) return false;
  constexpr mode_t kPermissions = 07777;
  return copy_extended_attributes(path, descriptor) && ::fchmod(descriptor, info.st_mode & kPermissions) == 0;
}

}  // namespace effdet::inline base
