// Drives libcurl's easy interface: redirects, limits on time and size, what went wrong in words.
#include "fetch/transfer.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/error.h"
#include "fetch/curl_library.h"

namespace effdet::fetch {
const Curl& curl() {
  static const Curl loaded;
  return loaded;
}

Transfer::Transfer(const std::string& url, PartFile& part, const DownloadOptions& options)
    : url_(url), part_(part), options_(options), curl_(curl().init(), curl().cleanup) {
  if (!curl_) fail(ErrorCode::kInternal, "libcurl does not start");
}

CURLcode Transfer::run() {
  start_ = part_.size();
  set(CURLOPT_URL, url_.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, url_.starts_with("https:") ? "https" : "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, 5L);
  set(CURLOPT_FAILONERROR, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, std::min(kConnectSeconds, long{options_.stall_seconds}));
  set(CURLOPT_LOW_SPEED_LIMIT, kLeastSpeed);
  set(CURLOPT_LOW_SPEED_TIME, long{options_.stall_seconds});
  constexpr uint64_t kMost = std::numeric_limits<curl_off_t>::max();
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(std::clamp(room(), uint64_t{1}, kMost)));  // 0: no limit
  set(CURLOPT_USERAGENT, "effdet");
  set(CURLOPT_ERRORBUFFER, message_);
  set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(start_));
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_bytes);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  set(CURLOPT_XFERINFODATA, this);
  const CURLcode code = curl().perform(curl_.get());
  too_large_ |= code == CURLE_FILESIZE_EXCEEDED;
  return code;
}

/// How many bytes may still come.
uint64_t Transfer::room() const { return options_.max_bytes - std::min(part_.size(), options_.max_bytes); }

long Transfer::status() const {
  long code = 0;
  curl().getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &code);
  return code;
}

void Transfer::fail_with(CURLcode code) const {
  if (code == CURLE_WRITE_ERROR && disk_error_ != 0) {
    errno = disk_error_;
    part_.fail_io("cannot be written");
  }
  if (too_large_)
    bad_input("{}: larger than {} bytes, the most that is downloaded; --max-size allows more", url_,
              options_.max_bytes);
  if (code == CURLE_HTTP_RETURNED_ERROR)
    fail(ErrorCode::kIo, "{}: the server answers with status {}; --url and --mirror give another address", url_,
         status());
  const std::string reason = message_[0] != '\0' ? message_ : curl().strerror(code);
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY)
    fail(ErrorCode::kIo,
         "{}: cannot be reached ({}): without a network, fetch the file elsewhere and give it with --checkpoint, or "
         "name a mirror with --mirror",
         url_, reason);
  if (part_.size() == 0) fail(ErrorCode::kIo, "{}: nothing was received ({})", url_, reason);
  fail(ErrorCode::kIo, "{}: the download broke off after {} bytes ({}){}", url_, part_.size(), reason,
       part_.is_kept() ? "; the same command goes on from there" : "");
}

template <typename T>
void Transfer::set(CURLoption option, T value) {
  if (curl().setopt(curl_.get(), option, value) != CURLE_OK)
    fail(ErrorCode::kInternal, "libcurl does not know option {}", static_cast<int>(option));
}

size_t Transfer::on_bytes(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const size_t length = size * count;
  transfer.too_large_ = length > transfer.room();
  if (transfer.too_large_) return 0;
  if (transfer.part_.append(bytes, length)) return length;
  transfer.disk_error_ = errno;
  return 0;
}

int Transfer::on_progress(void* self, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.options_.progress)
    transfer.options_.progress(transfer.part_.size(), total > 0 ? transfer.start_ + static_cast<uint64_t>(total) : 0);
  return 0;
}

}  // namespace effdet::fetch
