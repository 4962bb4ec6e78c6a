#include "fetch/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace effdet {

PartFile::PartFile(const std::filesystem::path& path, bool keep) : path_(path.string()) {
  while (!open_locked()) {
  }
  if (!keep) restart();
  if (::lseek(descriptor_, 0, SEEK_END) < 0) fail_io("cannot be written");
}

PartFile::~PartFile() { ::close(descriptor_); }

void PartFile::restart() {
  if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) < 0) fail_io("cannot be written");
  size_ = 0;
}

bool PartFile::append(const char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    count -= static_cast<size_t>(written);
    size_ += static_cast<uint64_t>(written);
  }
  return true;
}

void PartFile::become(const std::filesystem::path& target) {
  if (::fsync(descriptor_) != 0) fail_io("cannot be written");
  if (::rename(path_.c_str(), target.c_str()) != 0) fail_io("cannot be renamed");
}

void PartFile::fail_io(std::string_view what) const {
  fail(ErrorCode::kIo, "{}: {}: {}", path_, what, std::strerror(errno));
}

/// False where, while this waited, another process renamed its part to the whole file: then it is not ours to write.
bool PartFile::open_locked() {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0) fail_io("cannot be opened");
  if (::flock(descriptor_, LOCK_EX) != 0) fail_io("cannot be locked");
  struct stat own {
  }, named{};
  if (::fstat(descriptor_, &own) != 0) fail_io("cannot be examined");
  if (::stat(path_.c_str(), &named) != 0 || named.st_ino != own.st_ino) {
    ::close(descriptor_);
    return false;
  }
  size_ = static_cast<uint64_t>(own.st_size);
  return true;
}

}  // namespace effdet
