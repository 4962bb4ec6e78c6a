// The unfinished file of a download, which other processes and later runs find again.
#include "fetch/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_file.h"

namespace effdet::fetch {

PartFile::PartFile(const std::filesystem::path& target, Kind kind)
    : place_(find_output_place(target.string())), kind_(kind), path_(place_.target + ".part") {
  if (place_.exists && !place_.is_regular) fail(ErrorCode::kIo, "{}: is no regular file", place_.shown);
  if (kind == Kind::kKept) {
    while (!open_locked()) {
    }
    if (::lseek(descriptor_, 0, SEEK_END) < 0) fail_io("cannot be written");
    return;
  }
  TemporaryFile file = make_temporary_file(place_.target, 0666);
  if (file.descriptor < 0) fail_io("cannot be opened");
  descriptor_ = file.descriptor;
  path_ = std::move(file.path);
}

/// Nothing to go on from is nothing to keep.
PartFile::~PartFile() {
  if (!path_.empty() && (kind_ == Kind::kTemporary || size_ == 0)) ::unlink(path_.c_str());
  ::close(descriptor_);
}

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

void PartFile::become_target() {
  if (::fsync(descriptor_) != 0) fail_io("cannot be written");
  if (place_.exists) {
    const MappedFile whole(path_);
    write_file(place_.target, whole.bytes());
    ::unlink(path_.c_str());
  } else if (::rename(path_.c_str(), place_.target.c_str()) != 0) {
    fail_io("cannot be renamed");
  }
  path_.clear();
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
  if (!S_ISREG(own.st_mode)) fail(ErrorCode::kIo, "{}: is no regular file", path_);
  if (::stat(path_.c_str(), &named) != 0 || named.st_ino != own.st_ino) {
    ::close(descriptor_);
    return false;
  }
  size_ = static_cast<uint64_t>(own.st_size);
  return true;
}

}  // namespace effdet::fetch
