// One transfer from the web, by libcurl.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "fetch/download.h"
#include "fetch/part_file.h"

namespace effdet::fetch {

/// Appends to a part file what it lacks of an http, https URL's content.
class Transfer {
 public:
  /// Keeps references. Throws Error(kIo) where libcurl is not there.
  Transfer(const std::string& url, PartFile& part, const DownloadOptions& options);

  CURLcode run();

  /// The server's answer: 200, 404 ...
  long status() const;

  /// Whether it ended because the file has more bytes than the limit, announced or sent.
  bool is_too_large() const { return too_large_; }

  /// Throws Error, kBadInput for a file that is too large, else kIo: what went wrong, and what to do next.
  [[noreturn]] void fail_with(CURLcode code) const;

 private:
  uint64_t room() const;
  template <typename T>
  void set(CURLoption option, T value);
  static size_t on_bytes(char* bytes, size_t size, size_t count, void* self);
  static int on_progress(void* self, curl_off_t total, curl_off_t, curl_off_t, curl_off_t);

  std::string url_;
  PartFile& part_;
  const DownloadOptions& options_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  char message_[CURL_ERROR_SIZE] = "";
  uint64_t start_ = 0;
  int disk_error_ = 0;
  bool too_large_ = false;
};

}  // namespace effdet::fetch
