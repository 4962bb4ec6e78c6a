// Gets a file through libcurl, one redirect at a time, and looks at each address before it is connected to.
#include "fetch/read_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "fetch/curl_library.h"

namespace effdet::fetch {
namespace {

constexpr int kMostRedirects = 5;

/// A network of IPv4: its address, and how many bits of it count.
struct Network {
  uint32_t address;
  int bits;
};

// This machine, private and shared ones, link-local ones (clouds tell secrets there), multicast and reserved ones.
constexpr std::array kPrivate{Network{0x00000000, 8},  Network{0x0A000000, 8},  Network{0x64400000, 10},
                              Network{0x7F000000, 8},  Network{0xA9FE0000, 16}, Network{0xAC100000, 12},
                              Network{0xC0000000, 24}, Network{0xC0A80000, 16}, Network{0xC6120000, 15},
                              Network{0xE0000000, 3}};

bool is_private(uint32_t address) {
  return std::ranges::any_of(
      kPrivate, [&](const Network& network) { return (address ^ network.address) >> (32 - network.bits) == 0; });
}

bool is_private(const in6_addr& address) {
  const uint8_t* byte = address.s6_addr;
  const bool nat64 = byte[0] == 0 && byte[1] == 0x64 && byte[2] == 0xFF && byte[3] == 0x9B;
  if (IN6_IS_ADDR_V4MAPPED(&address) || IN6_IS_ADDR_V4COMPAT(&address) || nat64)  // stand for an address of IPv4
    return is_private(uint32_t{byte[12]} << 24 | uint32_t{byte[13]} << 16 | uint32_t{byte[14]} << 8 | byte[15]);
  return (byte[0] & 0xE0) != 0x20;  // 2000::/3 is all that is public
}

bool is_private(const sockaddr& address) {
  if (address.sa_family == AF_INET)
    return is_private(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  return address.sa_family != AF_INET6 || is_private(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

/// One request, without redirects.
class Request {
 public:
  Request(const std::string& url, const ReadUrlOptions& options)
      : url_(url), options_(options), curl_(curl().init(), curl().cleanup) {
    if (!curl_) fail(ErrorCode::kInternal, "libcurl does not start");
  }

  /// The address that the server points to instead; empty: the content is there.
  std::string run() {
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT, std::min(kConnectSeconds, long{options_.stall_seconds}));
    set(CURLOPT_LOW_SPEED_LIMIT, kLeastSpeed);
    set(CURLOPT_LOW_SPEED_TIME, long{options_.stall_seconds});
    set(CURLOPT_USERAGENT, "effdet");
    set(CURLOPT_ERRORBUFFER, message_);
    set(CURLOPT_WRITEFUNCTION, &Request::on_bytes);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, &Request::on_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    const CURLcode code = curl().perform(curl_.get());
    if (too_large_) bad_input("{}: larger than {} bytes", url_, options_.max_bytes);
    if (!refused_.empty())
      fail(ErrorCode::kIo,
           "{}: leads to {}, an address of this machine or a private network: "
           "--allow-private-addresses takes it",
           url_, refused_);
    if (code != CURLE_OK) refuse(code);
    const char* redirect = nullptr;
    curl().getinfo(curl_.get(), CURLINFO_REDIRECT_URL, &redirect);
    return redirect == nullptr ? "" : redirect;
  }

  std::vector<std::byte> take() { return std::move(content_); }

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    if (curl().setopt(curl_.get(), option, value) != CURLE_OK)
      fail(ErrorCode::kInternal, "libcurl does not know option {}", static_cast<int>(option));
  }

  [[noreturn]] void refuse(CURLcode code) const {
    long status = 0;
    curl().getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_HTTP_RETURNED_ERROR) fail(ErrorCode::kIo, "{}: the server answers with status {}", url_, status);
    fail(ErrorCode::kIo, "{}: cannot be had: {}", url_, message_[0] != '\0' ? message_ : curl().strerror(code));
  }

  static size_t on_bytes(char* bytes, size_t size, size_t count, void* self) {
    auto& request = *static_cast<Request*>(self);
    const size_t length = size * count;
    request.too_large_ = length > request.options_.max_bytes - request.content_.size();
    if (request.too_large_) return 0;
    const auto* begin = reinterpret_cast<const std::byte*>(bytes);
    request.content_.insert(request.content_.end(), begin, begin + length);
    return length;
  }

  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* address) {
    auto& request = *static_cast<Request*>(self);
    if (!request.options_.private_addresses && is_private(address->addr)) {
      char text[INET6_ADDRSTRLEN] = "a local one";
      const void* place = address->family == AF_INET6
                              ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6&>(address->addr).sin6_addr)
                              : static_cast<const void*>(&reinterpret_cast<sockaddr_in&>(address->addr).sin_addr);
      ::inet_ntop(address->family, place, text, sizeof text);
      request.refused_ = text;
      return CURL_SOCKET_BAD;
    }
    request.refused_.clear();  // another address of the same name
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  const std::string& url_;
  const ReadUrlOptions& options_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  char message_[CURL_ERROR_SIZE] = "";
  std::vector<std::byte> content_;
  std::string refused_;
  bool too_large_ = false;
};

}  // namespace

bool is_url(std::string_view name) { return name.starts_with("http://") || name.starts_with("https://"); }

std::vector<std::byte> read_url(const std::string& url, const ReadUrlOptions& options) {
  std::string place = url;
  for (int redirects = 0; redirects <= kMostRedirects; ++redirects) {
    Request request(place, options);
    std::string next = request.run();
    if (next.empty()) {
      std::vector<std::byte> content = request.take();
      if (content.empty()) bad_input("{}: the server sent an empty file", url);
      return content;
    }
    if (!is_url(next) || (place.starts_with("https:") && !next.starts_with("https:")))
      fail(ErrorCode::kIo, "{}: redirected to {}, where no picture is taken from", url, next);
    place = std::move(next);
  }
  fail(ErrorCode::kIo, "{}: redirected more than {} times", url, kMostRedirects);
}

}  // namespace effdet::fetch
