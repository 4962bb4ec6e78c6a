// A small HTTP server on the loopback, for tests of downloads.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace effdet::fetch {

/// Answers each request by a function, one connection at a time, until it is destroyed.
class HttpServer {
 public:
  struct Request {
    std::string path;
    long range_start = -1;  ///< of "Range: bytes=N-"; -1: none
  };
  struct Response {
    std::string status = "200 OK", headers, body;
    size_t cut = 0;         ///< so many bytes of the body are promised and not sent
    bool announced = true;  ///< whether Content-Length is sent
    bool stalls = false;    ///< keeps the connection open after the body, in silence
    bool endless = false;   ///< sends the body again and again
  };
  using Handler = std::function<Response(const Request&)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, generic, length) != 0 || ::listen(socket_, 8) != 0) std::abort();
    ::getsockname(socket_, generic, &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  int requests() const { return requests_; }

 private:
  void serve() {
    for (int client; (client = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(client)) {
      std::string text;
      char buffer[4096];
      while (text.find("\r\n\r\n") == std::string::npos) {
        const ssize_t count = ::recv(client, buffer, sizeof buffer, 0);
        if (count <= 0) break;
        text.append(buffer, static_cast<size_t>(count));
      }
      if (text.size() < 4) continue;  // the client has left
      ++requests_;
      Request request;
      request.path = text.substr(4, text.find(' ', 4) - 4);
      const size_t range = text.find("Range: bytes=");
      if (range != std::string::npos) request.range_start = std::stol(text.substr(range + 13));
      const Response response = handler_(request);
      std::string head = "HTTP/1.1 " + response.status + "\r\nConnection: close\r\n" + response.headers;
      if (response.announced) head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
      bool listens = send_all(client, head + "\r\n" + response.body.substr(0, response.body.size() - response.cut));
      while (listens && response.endless) listens = send_all(client, response.body);
      // Till the other side closes; a test that goes on waiting for it fails.
      if (response.stalls) (void)::recv(client, buffer, sizeof buffer, 0);
    }
  }

  static bool send_all(int client, const std::string& text) {
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t count = ::send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<size_t>(count);
    }
    return true;
  }

  Handler handler_;
  int socket_;
  int port_ = 0;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

}  // namespace effdet::fetch
