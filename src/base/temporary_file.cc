// Random names of unfinished files, their locks, and the removal of those whose writer is dead.
#include "base/temporary_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"

namespace effdet::inline base {
namespace {

constexpr std::string_view kMark = ".effdet-", kEnd = ".tmp", kHexDigits = "0123456789abcdef";
constexpr size_t kBootDigits = 8, kRandomDigits = 16;
constexpr size_t kLongestName = 100;  // of the target's; file systems that encrypt names take 143 bytes, others 255
constexpr int kTries = 100;
constexpr time_t kDay = 24 * 60 * 60;

/// Eight digits that all containers of this kernel share until it starts again; "" where it does not tell.
const std::string& boot_name() {
  static const std::string name = [] {
    char text[kBootDigits] = {};
    const Descriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    const bool whole = file.get() >= 0 && ::read(file.get(), text, sizeof text) == static_cast<ssize_t>(sizeof text);
    const std::string_view digits(text, sizeof text);
    return whole && digits.find_first_not_of(kHexDigits) == digits.npos ? std::string(digits) : std::string();
  }();
  return name;
}

std::string random_name() {
  uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) fail(ErrorCode::kIo, "the system has no random numbers");
  return fmt::format("{}{:0>{}}-{:016x}{}", kMark, boot_name(), kBootDigits, number, kEnd);
}

/// Whether another kernel made it, whose locks this one may not see: that of another machine or of an earlier boot.
bool is_of_another_boot(std::string_view name) {
  const std::string_view boot = name.substr(name.size() - kEnd.size() - kRandomDigits - 1 - kBootDigits, kBootDigits);
  return boot_name().empty() || boot != boot_name();
}

std::pair<std::string, std::string> folder_and_name(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return {".", path};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

/// Removes a file that nobody writes any more: its lock is free. Where locks of others cannot be seen, it must not have
/// been written for a day, by the file system's own clock.
void remove_if_stale(int folder, const char* name, time_t now) {
  const Descriptor file(::openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat own {
  }, named{};
  if (file.get() < 0 || ::fstat(file.get(), &own) != 0 || !S_ISREG(own.st_mode) || own.st_uid != ::geteuid()) return;
  if (is_of_another_boot(name) && now - own.st_mtime < kDay) return;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;
  if (::fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == own.st_ino &&
      named.st_dev == own.st_dev)
    ::unlinkat(folder, name, 0);
}

/// Looks through a folder once a process: it may have very many files.
void remove_stale_files(const std::string& folder, time_t now) {
  static std::mutex mutex;
  static std::set<std::tuple<std::string, dev_t, ino_t>> seen;  // numbers are given again, names mean another place
  DIR* entries = ::opendir(folder.c_str());
  if (entries == nullptr) return;
  struct stat info {};
  const std::lock_guard lock(mutex);
  if (::fstat(::dirfd(entries), &info) == 0 && seen.emplace(folder, info.st_dev, info.st_ino).second)
    while (const dirent* entry = ::readdir(entries))
      if (is_temporary_name(entry->d_name)) remove_if_stale(::dirfd(entries), entry->d_name, now);
  ::closedir(entries);
}

/// Locks a file that was just made. False where, between the two, another run took it for a stale one.
bool lock_new_file(int descriptor, struct stat& info) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;  // no locks at all will do
  return ::fstat(descriptor, &info) == 0 && info.st_nlink > 0;
}

}  // namespace

TemporaryFile make_temporary_file(const std::string& target, mode_t mode) {
  const auto [folder, name] = folder_and_name(target);
  const std::string start = (folder == "." ? "" : folder) + name.substr(0, kLongestName);
  for (int i = 0; i < kTries; ++i) {
    TemporaryFile file{.path = start + random_name()};
    file.descriptor = ::open(file.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file.descriptor < 0 && errno == EEXIST) continue;
    if (file.descriptor < 0) return file;
    struct stat info {};
    if (lock_new_file(file.descriptor, info)) {
      remove_stale_files(folder, info.st_mtime);
      return file;
    }
    ::close(file.descriptor);
    ::unlink(file.path.c_str());
  }
  errno = EEXIST;
  return {};
}

bool is_temporary_name(std::string_view path) {
  constexpr size_t kDigits = kBootDigits + 1 + kRandomDigits;
  if (path.size() < kMark.size() + kDigits + kEnd.size() || !path.ends_with(kEnd)) return false;
  path.remove_suffix(kEnd.size());
  const std::string_view digits = path.substr(path.size() - kDigits);
  path.remove_suffix(kDigits);
  return path.ends_with(kMark) && digits[kBootDigits] == '-' && digits.find_first_not_of(kHexDigits) == kBootDigits &&
         digits.find_first_not_of(kHexDigits, kBootDigits + 1) == digits.npos;
}

}  // namespace effdet::inline base
