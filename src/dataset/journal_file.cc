// Reads journals, and appends to them.
#include "dataset/journal_file.h"

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "dataset/journal_record.h"

namespace effdet::dataset {
namespace {

/// At most so much is lost with the power.
constexpr int64_t kSyncMilliseconds = 1000;

int64_t now_milliseconds() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

[[noreturn]] void refuse(std::string_view verb, const std::string& path) {
  fail(ErrorCode::kIo, "{}: cannot {}: {}", path, verb, std::strerror(errno));
}

int open_to_append(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor < 0) refuse("open", path);
  return descriptor;
}

/// Of the open file, not of the process as POSIX has it: closing the file elsewhere in this process keeps it. Network
/// file systems pass it on to their server, so that processes on other machines see it.
struct flock lock_of_all() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// The header is there whole or not at all: a run that ends while it is written leaves no file.
std::string make_journal(const std::string& path, const JournalHeader& header) {
  write_file(path, std::string(kJournalMagic) + record_of(header));
  return path;
}

JournalHeader first_header(RecordReader& records, const std::string& name) {
  const auto header = records.next();
  if (!header) bad_input("{}: cut within its header; remove it to begin anew", name);
  return parse_header(*header, name);
}

}  // namespace

JournalHeader journal_header(const RunKey& key, const Shard& shard, uint64_t total, const DataSource& data) {
  DataSource place;  // without the list of images, which may be long
  place.root = data.root;
  place.format = data.format;
  place.split = data.split;
  place.annotations = data.annotations;
  place.images = data.images;
  for (std::filesystem::path* path : {&place.root, &place.annotations, &place.images})
    if (!path->empty()) *path = std::filesystem::absolute(*path).lexically_normal();
  return {EFFDET_VERSION, RunKind::kDataset, key, shard, total, place, {}};
}

JournalHeader journal_header(const RunKey& key, const Shard& shard, uint64_t total,
                             const std::vector<std::string>& class_names) {
  return {EFFDET_VERSION, RunKind::kList, key, shard, total, {}, class_names};
}

JournalHeader read_journal_header(const std::filesystem::path& path) {
  const MappedFile file(path);
  RecordReader records(file.bytes(), file.path());
  return first_header(records, file.path());
}

JournalContent read_journal(const std::filesystem::path& path) {
  const MappedFile file(path);
  RecordReader records(file.bytes(), file.path());
  JournalContent content{.header = first_header(records, file.path()), .entries = {}, .bytes = 0};
  for (uint64_t offset = records.offset(); const auto record = records.next(); offset = records.offset())
    content.entries.push_back(parse_entry(*record, file.path(), offset));
  content.bytes = records.offset();
  return content;
}

bool is_written_now(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct flock lock = lock_of_all();
  return file.get() >= 0 && ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

JournalWriter::JournalWriter(const std::filesystem::path& path, const JournalHeader& header)
    : JournalWriter(make_journal(path.string(), header)) {}

JournalWriter::JournalWriter(const std::filesystem::path& path)
    : path_(path.string()), file_(open_to_append(path_)), synced_(now_milliseconds()) {
  struct flock lock = lock_of_all();
  if (::fcntl(file_.get(), F_OFD_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES))
    fail(ErrorCode::kUsage, "{}: another process writes it now; each run needs an output of its own", path_);
  const off_t end = ::lseek(file_.get(), 0, SEEK_END);
  if (end < 0) refuse("write", path_);
  bytes_ = static_cast<uint64_t>(end);
}

JournalContent JournalWriter::take_over() {
  JournalContent content = read_journal(path_);
  bytes_ = content.bytes;
  if (::ftruncate(file_.get(), static_cast<off_t>(bytes_)) != 0) refuse("write", path_);
  return content;
}

void JournalWriter::append(const JournalEntry& entry) {
  const std::string record = record_of(entry);
  const std::lock_guard hold(mutex_);
  for (size_t done = 0; done < record.size();) {
    const ssize_t put = ::write(file_.get(), record.data() + done, record.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const int code = errno;
      (void)!::ftruncate(file_.get(), static_cast<off_t>(bytes_));
      errno = code;
      refuse("write", path_);
    }
    done += static_cast<size_t>(put);
  }
  bytes_ += record.size();
  sync_at(now_milliseconds() - kSyncMilliseconds);
}

void JournalWriter::sync() {
  const std::lock_guard hold(mutex_);
  sync_at(synced_);
}

/// Where the last time was no later than that.
void JournalWriter::sync_at(int64_t milliseconds) {
  if (synced_ > milliseconds) return;
  if (::fdatasync(file_.get()) != 0) refuse("write", path_);
  synced_ = now_milliseconds();
}

void JournalWriter::remove() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace effdet::dataset
