// Mapped files, whole reads that block on nothing, and writing under a temporary name until commit.
#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/file_attributes.h"
#include "base/temporary_file.h"

namespace effdet::inline base {
namespace {

constexpr std::align_val_t kBufferAlignment{64};  // as weights in files have it

[[noreturn]] void fail_errno(std::string_view verb, const std::string& path) {
  const int code = errno;
  fail(code == ENOMEM ? ErrorCode::kOutOfMemory : ErrorCode::kIo, "{}: cannot {}: {}", path, verb, std::strerror(code));
}

/// Opens a regular file; a FIFO or device must not block or feed us for ever.
int open_regular(const std::string& path, uint64_t& size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail_errno("open", path);
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    const int code = errno;
    ::close(fd);
    errno = code;
    fail_errno("read", path);
  }
  if (!S_ISREG(info.st_mode)) {
    ::close(fd);
    if (S_ISDIR(info.st_mode)) fail(ErrorCode::kIo, "{}: cannot open: it is a folder", path);
    fail(ErrorCode::kIo, "{}: not a regular file; save what a pipe or a device gives to one", path);
  }
  size = static_cast<uint64_t>(info.st_size);
  return fd;
}

/// Fills the memory from the beginning of a file, as far as it goes; how far that is.
size_t read_all(int descriptor, std::span<std::byte> memory, const std::string& path) {
  size_t done = 0;
  while (done < memory.size()) {
    const ssize_t got = ::pread(descriptor, memory.data() + done, memory.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("read", path);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

void write_all(int descriptor, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EFAULT)  // pages of a mapping are gone
      fail(ErrorCode::kIo, "{}: cannot write: a file that it is made from was cut meanwhile", path);
    if (put < 0) fail_errno("write", path);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
}

/// Closing a duplicate reports what closing the descriptor would, and leaves it open.
void check_close(int descriptor, const std::string& path) {
  const int duplicate = ::dup(descriptor);
  if (duplicate < 0 || ::close(duplicate) != 0) fail_errno("close", path);
}

/// The whole of a file, from its beginning.
void copy_all(int from, int to, const std::string& path) {
  std::vector<std::byte> block(1 << 16);
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(from, block.data(), block.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("write", path);
    if (got == 0) return;
    write_all(to, std::span(block).first(static_cast<size_t>(got)), path);
    at += got;
  }
}

std::shared_ptr<std::byte> aligned_memory(size_t size) {
  return {static_cast<std::byte*>(::operator new(size, kBufferAlignment)),
          [](std::byte* bytes) { ::operator delete(bytes, kBufferAlignment); }};
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path.string()) {
  uint64_t size = 0;
  const Descriptor fd(open_regular(path_, size));
  map(fd.get(), size);
}

MappedFile::MappedFile(int descriptor, std::string name) : path_(std::move(name)) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) fail_errno("read", path_);
  map(descriptor, static_cast<uint64_t>(info.st_size));
}

MappedFile::MappedFile(std::span<const std::byte> content, std::string name)
    : path_(std::move(name)), size_(content.size()) {
  const std::shared_ptr<std::byte> memory = aligned_memory(size_);
  std::ranges::copy(content, memory.get());
  bytes_ = memory;
}

void MappedFile::map(int descriptor, uint64_t size) {
  // Small files are read: where another process cuts a file within a page, the rest of the page reads as zeros, and
  // nothing tells.
  constexpr uint64_t kSmall = 1 << 16;
  size_ = size;
  if (size <= kSmall) {
    const std::shared_ptr<std::byte> memory = aligned_memory(size);
    bytes_ = memory;
    if (read_all(descriptor, {memory.get(), size}, path_) != size)
      fail(ErrorCode::kIo, "{}: cut while it was read", path_);
    return;
  }
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (memory == MAP_FAILED) fail_errno("map", path_);
  is_mapping_ = true;
  bytes_ = {static_cast<const std::byte*>(memory), [memory, size](const std::byte*) { ::munmap(memory, size); }};
}

void MappedFile::release(size_t begin, size_t end) const {
  static const auto kPage = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  if (!is_mapping_) return;
  // Pages that are shared with other bytes stay, but for the last page of the file.
  const size_t first = (begin + kPage - 1) / kPage * kPage, last = end == size_ ? end : end / kPage * kPage;
  if (first >= last) return;
  auto* const memory = const_cast<std::byte*>(bytes_.get() + first);
  ::madvise(memory, last - first, MADV_DONTNEED);  // where it fails, memory is used for longer
}

std::string lower_extension(const std::filesystem::path& path) { return lower_case(path.extension().string()); }

std::string read_file(const std::filesystem::path& path, uint64_t limit) {
  const std::string name = path.string();
  uint64_t size = 0;
  const Descriptor fd(open_regular(name, size));
  if (size > limit) bad_input("{}: {} bytes, more than the {} that such a file may have", name, size, limit);
  std::string content(size, '\0');
  content.resize(read_all(fd.get(), std::as_writable_bytes(std::span(content)), name));
  return content;
}

AtomicFile::AtomicFile(const std::filesystem::path& path) : place_(find_output_place(path.string())) {
  if (!place_.exists || place_.is_regular) make_beside_target();
  if (descriptor_ < 0) make_in_memory();
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

/// Makes nothing where an existing file has to be filled in its place.
void AtomicFile::make_beside_target() {
  // An existing file may be private: until the new one has the same mode it is nobody else's.
  TemporaryFile file = make_temporary_file(place_.target, place_.exists ? 0600 : 0666);
  if (file.descriptor < 0) {
    const bool folder_refuses = errno == EACCES || errno == EPERM || errno == EROFS;
    if (place_.exists && folder_refuses) return;
    fail_errno("write", place_.shown);
  }
  if (place_.exists && !copy_attributes(place_.target, place_.info, file.descriptor)) {
    ::close(file.descriptor);
    ::unlink(file.path.c_str());
    return;
  }
  descriptor_ = file.descriptor;
  temporary_ = std::move(file.path);
}

/// What is not replaced gets its content at once in the end, so that an error before that leaves it as it is.
void AtomicFile::make_in_memory() {
  if (place_.is_regular && Descriptor(place_.open()).get() < 0) fail_errno("write", place_.shown);
  descriptor_ = ::memfd_create("effdet output", MFD_CLOEXEC);
  if (descriptor_ < 0) fail_errno("write", place_.shown);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  constexpr size_t kBuffer = 1 << 16;
  if (buffer_.size() + bytes.size() >= kBuffer) flush();
  if (bytes.size() >= kBuffer) return write_all(descriptor_, bytes, place_.shown);
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void AtomicFile::flush() {
  write_all(descriptor_, std::as_bytes(std::span(buffer_)), place_.shown);
  buffer_.clear();
}

void AtomicFile::commit(bool sync) {
  flush();
  if (temporary_.empty()) return fill_target(sync);
  if (sync && ::fsync(descriptor_) != 0) fail_errno("sync", place_.shown);
  check_close(descriptor_, place_.shown);
  // Renamed while it is open: what cleans up after a signal looks for unfinished files among the open ones.
  if (!replace_target()) fill_target(sync);
}

/// False where the file at the target cannot be replaced: it is mounted, or somebody else's in a folder like /tmp.
bool AtomicFile::replace_target() {
  if (::rename(temporary_.c_str(), place_.target.c_str()) == 0) {
    temporary_.clear();
    return true;
  }
  const bool may_be_filled = errno == EBUSY || errno == EXDEV || errno == EPERM || errno == EACCES;
  if (!place_.is_regular || !may_be_filled) fail_errno("rename into place", place_.shown);
  return false;
}

void AtomicFile::fill_target(bool sync) {
  if (place_.own_descriptor == STDOUT_FILENO) std::fflush(stdout);  // what was printed before comes before
  const Descriptor target(place_.open());
  struct stat info {
  }, content{};
  if (target.get() < 0 || ::fstat(target.get(), &info) != 0 || ::fstat(descriptor_, &content) != 0)
    fail_errno("write", place_.shown);
  const bool is_file = S_ISREG(info.st_mode) && place_.own_descriptor < 0;
  // Room first: a full disk shall not cost the old content.
  if (is_file && ::fallocate(target.get(), FALLOC_FL_KEEP_SIZE, 0, content.st_size) != 0 && errno == ENOSPC)
    fail_errno("write", place_.shown);
  copy_all(descriptor_, target.get(), place_.shown);
  if (is_file && ::ftruncate(target.get(), content.st_size) != 0) fail_errno("write", place_.shown);
  if (is_file && sync && ::fsync(target.get()) != 0) fail_errno("sync", place_.shown);
  check_close(target.get(), place_.shown);
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes, bool sync) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit(sync);
}

void write_file(const std::filesystem::path& path, std::string_view text, bool sync) {
  write_file(path, std::as_bytes(std::span(text)), sync);
}

void check_output_path(const std::filesystem::path& path) { const AtomicFile file(path); }

void make_folder(const std::filesystem::path& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code || !std::filesystem::is_directory(path, code)) {
    std::error_code ignored;
    const bool dangles = std::filesystem::is_symlink(path, ignored) && !std::filesystem::exists(path, ignored);
    fail(ErrorCode::kIo, "{}: cannot create the folder: {}", path.string(),
         dangles ? "a symbolic link of that name leads nowhere"
         : code  ? code.message()
                 : "a file of that name is in the way");
  }
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    fail_errno("write into the folder", path.string());
}

}  // namespace effdet::inline base
