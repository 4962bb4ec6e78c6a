#include "fetch/transfer.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "fetch/shared_library.h"

namespace effdet {
namespace {

constexpr uint64_t kLargestFile = uint64_t{4} << 30;

/// The functions of libcurl that a transfer needs. Names and types are those of its header.
struct Curl {
  SharedLibrary library{"libcurl.so.4", "libcurl4"};
  decltype(curl_global_init)* global_init = library.function<decltype(curl_global_init)>("curl_global_init");
  decltype(curl_easy_init)* init = library.function<decltype(curl_easy_init)>("curl_easy_init");
  decltype(curl_easy_cleanup)* cleanup = library.function<decltype(curl_easy_cleanup)>("curl_easy_cleanup");
  decltype(curl_easy_setopt)* setopt = library.function<decltype(curl_easy_setopt)>("curl_easy_setopt");
  decltype(curl_easy_perform)* perform = library.function<decltype(curl_easy_perform)>("curl_easy_perform");
  decltype(curl_easy_getinfo)* getinfo = library.function<decltype(curl_easy_getinfo)>("curl_easy_getinfo");
  decltype(curl_easy_strerror)* strerror = library.function<decltype(curl_easy_strerror)>("curl_easy_strerror");

  Curl() { global_init(CURL_GLOBAL_DEFAULT); }
};

const Curl& curl() {
  static const Curl loaded;
  return loaded;
}

}  // namespace

Transfer::Transfer(const std::string& url, PartFile& part, const ByteProgress& progress)
    : url_(url), part_(part), progress_(progress), curl_(curl().init(), curl().cleanup) {
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
  return curl().perform(curl_.get());
}

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
  if (code == CURLE_WRITE_ERROR)
    fail(ErrorCode::kIo, "{}: is larger than {} bytes, which no checkpoint is", url_, kLargestFile);
  if (code == CURLE_HTTP_RETURNED_ERROR)
    fail(ErrorCode::kIo, "{}: the server answers with status {}; --url and --mirror give another address", url_,
         status());
  const std::string reason = message_[0] != '\0' ? message_ : curl().strerror(code);
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY)
    fail(ErrorCode::kIo,
         "{}: cannot be reached ({}): without a network, fetch the file elsewhere and give it with --checkpoint, or "
         "name a mirror with --mirror",
         url_, reason);
  fail(ErrorCode::kIo, "{}: the download broke off after {} bytes ({}); the same command goes on from there", url_,
       part_.size(), reason);
}

template <typename T>
void Transfer::set(CURLoption option, T value) {
  if (curl().setopt(curl_.get(), option, value) != CURLE_OK)
    fail(ErrorCode::kInternal, "libcurl does not know option {}", static_cast<int>(option));
}

size_t Transfer::on_bytes(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const size_t length = size * count;
  if (length > kLargestFile - std::min(transfer.part_.size(), kLargestFile)) return 0;
  if (transfer.part_.append(bytes, length)) return length;
  transfer.disk_error_ = errno;
  return 0;
}

int Transfer::on_progress(void* self, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.progress_)
    transfer.progress_(transfer.part_.size(), total > 0 ? transfer.start_ + static_cast<uint64_t>(total) : 0);
  return 0;
}

}  // namespace effdet
