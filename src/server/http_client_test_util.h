// A client of HTTP for tests: sends what it is given, byte by byte where a test wants it, and reads answers.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace effdet::server {

struct Reply {
  int status = 0;
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
};

/// Of a socket of the file system.
inline sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

class HttpClient {
 public:
  explicit HttpClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect_to(address);
  }
  explicit HttpClient(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    connect_to(address_of(path));
  }
  virtual ~HttpClient() { ::close(socket_); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// False: the server has closed.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = write_some(text.data(), text.size());
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  /// For what the server sends: a test does not wait for ever.
  void wait_at_most(std::chrono::seconds time) {
    const timeval limit{.tv_sec = time.count()};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  /// Sends nothing more.
  void end() { ::shutdown(socket_, SHUT_WR); }
  /// Everything until the server closes.
  std::string read_all() {
    while (receive()) {
    }
    return std::exchange(received_, {});
  }

  /// The next answer; status 0: the server closed before one was complete.
  Reply read(bool has_body = true) {
    size_t end;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) return {};
    Reply reply;
    reply.status = std::stoi(received_.substr(9, 3));
    size_t at = received_.find("\r\n") + 2;
    while (at < end) {
      const size_t stop = received_.find("\r\n", at), colon = received_.find(": ", at);
      std::string name = received_.substr(at, colon - at);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      reply.fields[name] = received_.substr(colon + 2, stop - colon - 2);
      at = stop + 2;
    }
    received_.erase(0, end + 4);
    if (reply.status == 100) return reply;
    const size_t length = has_body ? std::stoul(reply.fields["content-length"]) : 0;
    while (received_.size() < length)
      if (!receive()) return {};
    reply.body = received_.substr(0, length);
    received_.erase(0, length);
    return reply;
  }

  Reply get(const std::string& path, const std::string& fields = "") {
    send("GET " + path + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n");
    return read();
  }
  Reply post(const std::string& path, std::string_view body, const std::string& fields = "") {
    std::string text = "POST " + path + " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n" + fields + "\r\n";
    send(text.append(body));
    return read();
  }
  /// Whether the last read was given up: the server neither sent anything nor closed.
  bool is_silent() const { return is_silent_; }
  /// Whether the server closes the connection and sends nothing before.
  bool ends() { return received_.empty() && !receive(); }

 protected:
  virtual ssize_t write_some(const char* data, size_t size) { return ::send(socket_, data, size, MSG_NOSIGNAL); }
  virtual ssize_t read_some(char* data, size_t size) { return ::recv(socket_, data, size, 0); }
  int socket() const { return socket_; }

 private:
  template <typename Address>
  void connect_to(const Address& address) {
    wait_at_most(std::chrono::seconds(60));
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    ::close(socket_);
    throw std::runtime_error("connect failed");
  }

  bool receive() {
    char buffer[1 << 16];
    const ssize_t bytes = read_some(buffer, sizeof buffer);
    is_silent_ = bytes < 0 && errno == EAGAIN;
    if (bytes <= 0) return false;
    received_.append(buffer, static_cast<size_t>(bytes));
    return true;
  }

  int socket_;
  std::string received_;
  bool is_silent_ = false;
};

}  // namespace effdet::server
