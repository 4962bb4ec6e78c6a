// What a client is told when its request fails.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <utility>

#include "effdet/error.h"

namespace effdet::server {

/// Ends the handling of a request with a status of HTTP and a line of text, which must not name files or addresses;
/// names out of requests are in it as one_line() has them.
class HttpError : public std::exception {
 public:
  template <typename... Args>
  HttpError(int status, fmt::format_string<Args...> format, Args&&... args)
      : status_(status), message_(one_line(fmt::format(format, std::forward<Args>(args)...))) {}

  int status() const { return status_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  int status_;
  std::string message_;
};

/// The client's timeout was over before its work began.
class TimeoutError final : public HttpError {
 public:
  TimeoutError() : HttpError(503, "the request's timeout was over before its turn came") {}
};

}  // namespace effdet::server
