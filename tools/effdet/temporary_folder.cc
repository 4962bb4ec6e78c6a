// Makes a locked folder, removes or keeps it, and removes those of dead runs.
#include "temporary_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "effdet/error.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kName = "effdet_run_";
constexpr size_t kRandomLetters = 6;  // of mkdtemp
constexpr int kDeepest = 8, kTries = 100;

char current[PATH_MAX] = "";  ///< the folder that a signal's end removes

bool is_dot(const char* name) { return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0; }

/// By system calls alone: opendir() takes memory.
void remove_tree(int parent, const char* name, int depth) {
  const int folder = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return;
  alignas(dirent64) char entries[4096];
  for (long size; depth < kDeepest && (size = ::syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0;) {
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
      at += entry->d_reclen;
      if (is_dot(entry->d_name)) continue;
      if (::unlinkat(folder, entry->d_name, 0) != 0) remove_tree(folder, entry->d_name, depth + 1);
    }
  }
  ::close(folder);
  ::unlinkat(parent, name, AT_REMOVEDIR);
}

/// A descriptor that holds the folder's lock, or -1 where another process does, or has removed the folder.
int lock_folder(const fs::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat own {
  }, named{};
  const bool is_ours = folder >= 0 && ::flock(folder, LOCK_EX | LOCK_NB) == 0 && ::fstat(folder, &own) == 0 &&
                       own.st_uid == ::geteuid() && ::lstat(path.c_str(), &named) == 0 && named.st_ino == own.st_ino;
  if (is_ours) return folder;
  if (folder >= 0) ::close(folder);
  return -1;
}

void remove_stale_folders(const fs::path& among) {
  std::error_code error;
  for (fs::directory_iterator entry(among, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (!is_temporary_folder(name)) continue;
    const int lock = lock_folder(entry->path());
    if (lock < 0) continue;
    std::error_code ignored;
    fs::remove_all(entry->path(), ignored);
    ::close(lock);
  }
}

[[noreturn]] void refuse(const fs::path& among, const std::string& why) {
  throw Error(ErrorCode::kIo, fmt::format("{}: cannot make a temporary folder: {}", among.string(), why));
}

/// As the umask says, which mkdtemp does not ask.
void open_to_others(const fs::path& folder) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::chmod(folder.c_str(), 0777 & ~mask);
}

}  // namespace

bool is_temporary_folder(std::string_view name) {
  return name.starts_with(kName) && name.size() == kName.size() + kRandomLetters;
}

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  const fs::path among = fs::temp_directory_path(error);
  constexpr const char* kAdvice = "; set TMPDIR to one that can be written to";
  if (error) refuse(among, error.message() + kAdvice);
  make(among, kAdvice);
}

TemporaryFolder::TemporaryFolder(const fs::path& among) { make(among, ""); }

void TemporaryFolder::make(const fs::path& among, const char* advice) {
  remove_stale_folders(among);
  for (int i = 0; lock_ < 0; ++i) {
    std::string name = (among / kName).string() + std::string(kRandomLetters, 'X');
    if (i == kTries || ::mkdtemp(name.data()) == nullptr) refuse(among, std::strerror(errno) + std::string(advice));
    path_ = name;
    lock_ = lock_folder(path_);
  }
  if (path_.native().size() < sizeof current) path_.native().copy(current, sizeof current - 1);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  std::ranges::fill(current, '\0');
  ::close(lock_);
}

void TemporaryFolder::keep_as(const fs::path& target) {
  open_to_others(path_);
  const auto rename = [&](unsigned flags) {
    return ::syscall(SYS_renameat2, AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), flags) == 0;
  };
  if (rename(RENAME_NOREPLACE)) return;
  if (errno == EEXIST && rename(RENAME_EXCHANGE)) return;
  if (errno == EINVAL || errno == ENOSYS) {  // a file system that cannot: the old one goes first
    std::error_code ignored;
    fs::remove_all(target, ignored);
    if (::rename(path_.c_str(), target.c_str()) == 0) return;
  }
  throw Error(ErrorCode::kIo, fmt::format("{}: cannot make the folder: {}", target.string(), std::strerror(errno)));
}

void remove_temporary_folder() {
  if (current[0] != '\0') remove_tree(AT_FDCWD, current, 0);
}

}  // namespace effdet::cli
