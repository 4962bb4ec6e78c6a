#include "fetch/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "base/file.h"
#include "base/user_folders.h"
#include "fetch/sha256.h"

namespace effdet {
namespace {

constexpr uint64_t kLargestFile = uint64_t{4} << 30;
constexpr size_t kShortestChecksum = 8;
constexpr int kAttempts = 3;  // each goes on where the one before was broken off
constexpr long kHttpRangeRefused = 416;

/// NAME.part, locked so that two processes do not write it at once.
class PartFile {
 public:
  PartFile(const std::filesystem::path& path, bool keep) : path_(path.string()) {
    while (!open_locked()) {
    }
    if (!keep) restart();
    if (::lseek(descriptor_, 0, SEEK_END) < 0) fail_io("cannot be written");
  }
  ~PartFile() { ::close(descriptor_); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  uint64_t size() const { return size_; }

  void restart() {
    if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) < 0) fail_io("cannot be written");
    size_ = 0;
  }

  /// False where the disk refuses; errno says why.
  bool append(const char* bytes, size_t count) {
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

  void become(const std::filesystem::path& target) {
    if (::fsync(descriptor_) != 0) fail_io("cannot be written");
    if (::rename(path_.c_str(), target.c_str()) != 0) fail_io("cannot be renamed");
  }

  [[noreturn]] void fail_io(std::string_view what) const {
    fail(ErrorCode::kIo, "{}: {}: {}", path_, what, std::strerror(errno));
  }

 private:
  /// False where, while this waited, another process renamed its part to the whole file: then it is not ours to write.
  bool open_locked() {
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

  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

CURL* start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return curl_easy_init();
}

/// One transfer into the part file.
class Transfer {
 public:
  Transfer(const std::string& url, PartFile& part, const ByteProgress& progress)
      : url_(url), part_(part), progress_(progress), curl_(start_curl(), curl_easy_cleanup) {
    if (!curl_) fail(ErrorCode::kInternal, "libcurl does not start");
  }

  /// Appends to the part what is missing.
  CURLcode run() {
    start_ = part_.size();
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, url_.starts_with("https:") ? "https" : "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, 5L);
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT, 15L);
    set(CURLOPT_LOW_SPEED_LIMIT, 100L);
    set(CURLOPT_LOW_SPEED_TIME, 30L);
    set(CURLOPT_USERAGENT, "effdet");
    set(CURLOPT_ERRORBUFFER, message_);
    set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(start_));
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_bytes);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
    set(CURLOPT_XFERINFODATA, this);
    return curl_easy_perform(curl_.get());
  }

  long status() const {
    long code = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  [[noreturn]] void fail_with(CURLcode code) const {
    if (code == CURLE_WRITE_ERROR && disk_error_ != 0) {
      errno = disk_error_;
      part_.fail_io("cannot be written");
    }
    if (code == CURLE_WRITE_ERROR)
      fail(ErrorCode::kIo, "{}: is larger than {} bytes, which no checkpoint is", url_, kLargestFile);
    if (code == CURLE_HTTP_RETURNED_ERROR)
      fail(ErrorCode::kIo, "{}: the server answers with status {}; --url and --mirror give another address", url_,
           status());
    const std::string reason = message_[0] != '\0' ? message_ : curl_easy_strerror(code);
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY)
      fail(ErrorCode::kIo,
           "{}: cannot be reached ({}): without a network, fetch the file elsewhere and give it with --checkpoint, or "
           "name a mirror with --mirror",
           url_, reason);
    fail(ErrorCode::kIo, "{}: the download broke off after {} bytes ({}); the same command goes on from there", url_,
         part_.size(), reason);
  }

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK)
      fail(ErrorCode::kInternal, "libcurl does not know option {}", static_cast<int>(option));
  }

  static size_t on_bytes(char* bytes, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const size_t length = size * count;
    if (length > kLargestFile - std::min(transfer.part_.size(), kLargestFile)) return 0;
    if (transfer.part_.append(bytes, length)) return length;
    transfer.disk_error_ = errno;
    return 0;
  }

  static int on_progress(void* self, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (transfer.progress_)
      transfer.progress_(transfer.part_.size(), total > 0 ? transfer.start_ + static_cast<uint64_t>(total) : 0);
    return 0;
  }

  std::string url_;
  PartFile& part_;
  const ByteProgress& progress_;
  std::unique_ptr<CURL, void (*)(CURL*)> curl_;
  char message_[CURL_ERROR_SIZE] = "";
  uint64_t start_ = 0;
  int disk_error_ = 0;
};

bool was_broken_off(CURLcode code) {
  return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_OPERATION_TIMEDOUT ||
         code == CURLE_GOT_NOTHING;
}

void fetch(const std::string& url, PartFile& part, bool resume, const ByteProgress& progress) {
  for (int attempt = 1;; ++attempt) {
    Transfer transfer(url, part, progress);
    const CURLcode code = transfer.run();
    if (code == CURLE_OK) return;
    // The server does not resume, or has nothing behind what is here: from the start then.
    const bool refused =
        code == CURLE_RANGE_ERROR || (code == CURLE_HTTP_RETURNED_ERROR && transfer.status() == kHttpRangeRefused);
    if (attempt == kAttempts || !(was_broken_off(code) || (refused && part.size() > 0))) transfer.fail_with(code);
    if (refused || !resume) part.restart();
  }
}

bool has_checksum(const std::filesystem::path& file, std::string_view checksum) {
  return sha256_of(file).starts_with(checksum);
}

}  // namespace

std::string_view checksum_in_name(std::string_view name) {
  const size_t dot = name.rfind('.'), dash = name.rfind('-', dot);
  if (dot == name.npos || dash == name.npos) return {};
  const std::string_view hex = name.substr(dash + 1, dot - dash - 1);
  const bool is_checksum =
      hex.size() >= kShortestChecksum && hex.size() <= 64 && hex.find_first_not_of("0123456789abcdef") == hex.npos;
  return is_checksum ? hex : std::string_view();
}

std::string file_name_of(const std::string& url) {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  const std::string name = path.substr(path.rfind('/') + 1);
  const bool is_web = url.starts_with("http://") || url.starts_with("https://");
  const bool is_plain = !name.empty() && name[0] != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  });
  if (!is_web || !is_plain || name.size() > 200 || path.find('/', 8) == path.npos)
    fail(ErrorCode::kUsage, "'{}' is no http or https address of a file", url);
  return name;
}

std::filesystem::path cache_folder() {
  if (auto folder = user_cache_folder(); !folder.empty()) return folder;
  fail(ErrorCode::kUsage, "there is no folder for downloads: neither XDG_CACHE_HOME nor HOME is set; give --cache");
}

std::filesystem::path download(const std::string& url, const std::filesystem::path& folder,
                               const ByteProgress& progress) {
  const std::string name = file_name_of(url);
  const std::string_view checksum = checksum_in_name(name);
  const std::filesystem::path target = folder / name;
  const auto is_whole = [&] {
    return std::filesystem::is_regular_file(target) && !checksum.empty() && has_checksum(target, checksum);
  };
  if (is_whole()) return target;
  make_folder(folder);
  const std::filesystem::path part_path = folder / (name + ".part");
  PartFile part(part_path, !checksum.empty());
  if (is_whole()) return target;  // another process was faster
  try {
    fetch(url, part, !checksum.empty(), progress);
  } catch (const Error&) {
    if (part.size() == 0) std::filesystem::remove(part_path);  // nothing to go on from
    throw;
  }
  if (!checksum.empty() && !has_checksum(part_path, checksum)) {
    const std::string found = sha256_of(part_path);
    std::filesystem::remove(part_path);
    bad_input("{}: its SHA-256 begins with {}, not with {} as its name says; the download is removed", url,
              found.substr(0, checksum.size()), checksum);
  }
  part.become(target);
  return target;
}

}  // namespace effdet
