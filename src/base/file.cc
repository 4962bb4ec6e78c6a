#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/error.h"

namespace effdet {
namespace {

[[noreturn]] void fail_errno(std::string_view verb, const std::string& path) {
  const int code = errno;
  fail(code == ENOMEM ? ErrorCode::kOutOfMemory : ErrorCode::kIo, "{}: cannot {}: {}", path, verb, std::strerror(code));
}

/// Opens a regular file; a FIFO or device must not block or feed us for ever.
int open_regular(const std::string& path, uint64_t& size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail_errno("open", path);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    fail(ErrorCode::kIo, "{}: not a regular file", path);
  }
  size = static_cast<uint64_t>(info.st_size);
  return fd;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path.string()) {
  uint64_t size = 0;
  const Descriptor fd(open_regular(path_, size));
  size_ = size;
  if (size == 0) {
    bytes_ = std::make_shared<const std::byte>();
    return;
  }
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (memory == MAP_FAILED) fail_errno("map", path_);
  bytes_ = {static_cast<const std::byte*>(memory), [memory, size](const std::byte*) { ::munmap(memory, size); }};
}

std::string read_file(const std::filesystem::path& path, uint64_t limit) {
  const std::string name = path.string();
  uint64_t size = 0;
  const Descriptor fd(open_regular(name, size));
  if (size > limit) bad_input("{}: {} bytes, more than the {} that such a file may have", name, size, limit);
  std::string content(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd.get(), content.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("read", name);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  content.resize(done);
  return content;
}

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path.string()) {
  constexpr size_t kLongestName = 200;  // a longer one would leave no room for what is added
  static std::atomic<unsigned> counter{0};
  if (path_.empty()) fail(ErrorCode::kUsage, "the name of the file to write is empty");
  struct stat info {};
  if (::stat(path_.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
    fail(ErrorCode::kIo, "{}: cannot write: it is a folder", path_);
  const std::string name = path.filename().string().substr(0, kLongestName);
  temporary_ = (path.parent_path() / fmt::format("{}.{}.{}.tmp", name, ::getpid(), counter++)).string();
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    temporary_.clear();
    fail_errno("write", path_);
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  constexpr size_t kBuffer = 1 << 16;
  if (buffer_.size() + bytes.size() >= kBuffer) flush();
  if (bytes.size() >= kBuffer) return write_through(bytes);
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void AtomicFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_errno("write", path_);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
}

void AtomicFile::flush() {
  write_through(std::as_bytes(std::span(buffer_)));
  buffer_.clear();
}

void AtomicFile::commit(bool sync) {
  flush();
  if (sync && ::fsync(descriptor_) != 0) fail_errno("sync", path_);
  // Renamed while it is open: what cleans up after a signal looks for unfinished files among the open ones. Closing a
  // duplicate reports what closing the file would.
  const int duplicate = ::dup(descriptor_);
  if (duplicate < 0 || ::close(duplicate) != 0) fail_errno("close", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno("rename into place", path_);
  temporary_.clear();
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes, bool sync) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit(sync);
}

void write_file(const std::filesystem::path& path, std::string_view text, bool sync) {
  write_file(path, std::as_bytes(std::span(text)), sync);
}

void make_folder(const std::filesystem::path& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code || !std::filesystem::is_directory(path, code))
    fail(ErrorCode::kIo, "{}: cannot create the folder: {}", path.string(),
         code ? code.message() : "a file of that name is in the way");
}

}  // namespace effdet
