// The bytes of a connection: a socket, with TLS on it where the server has a certificate.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "server/tls_module.h"

namespace effdet::server {

/// A stream as Asio and Beast take it. One operation at a time; the thread of the connections alone uses it. Whoever
/// calls keeps it until the handler was called.
class Transport {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using ErrorCode = boost::system::error_code;
  using Done = std::function<void(ErrorCode error, size_t bytes)>;
  using executor_type = Socket::executor_type;

  /// tls: nullptr for plain bytes.
  Transport(Socket socket, std::unique_ptr<TlsSession> tls) : socket_(std::move(socket)), tls_(std::move(tls)) {}

  executor_type get_executor() { return socket_.get_executor(); }
  Socket& socket() { return socket_; }
  bool is_encrypted() const { return tls_ != nullptr; }

  enum class Greeting {
    kDone,
    kPlain,   ///< the client speaks no TLS, but perhaps HTTP: what is written from now on is not encrypted
    kFailed,  ///< the client has left, or wants another TLS
  };
  /// Before all else with TLS.
  void async_greet(std::function<void(Greeting)> done);

  template <typename Buffers, typename Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_ == nullptr) return socket_.async_read_some(buffers, std::forward<Handler>(handler));
    for (auto it = boost::asio::buffer_sequence_begin(buffers); it != boost::asio::buffer_sequence_end(buffers); ++it) {
      const boost::asio::mutable_buffer buffer(*it);
      if (buffer.size() > 0)
        return read_encrypted({static_cast<std::byte*>(buffer.data()), buffer.size()},
                              copyable(std::forward<Handler>(handler)));
    }
    post(copyable(std::forward<Handler>(handler)), {}, 0);
  }

  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_ == nullptr) return socket_.async_write_some(buffers, std::forward<Handler>(handler));
    size_t bytes = 0;
    for (auto it = boost::asio::buffer_sequence_begin(buffers);
         it != boost::asio::buffer_sequence_end(buffers) && bytes < kMostAtOnce; ++it) {
      const boost::asio::const_buffer buffer(*it);
      const size_t size = std::min(buffer.size(), kMostAtOnce - bytes);
      if (!encrypt({static_cast<const std::byte*>(buffer.data()), size})) break;
      bytes += size;
    }
    write_output(copyable(std::forward<Handler>(handler)), bytes);
  }

  /// Whether bytes have been received that no read has taken.
  bool has_input() const { return tls_ != nullptr && tls_->has_input(); }
  /// Waits until the client has left (true), or has sent something (false).
  void async_watch(std::function<void(bool has_left)> done);
  /// Ends that without a call.
  void stop_watching();
  /// Gives memory back, where nothing is being read.
  void rest() { input_ = {}; }
  /// What went wrong with the encryption; empty: nothing.
  std::string tls_error() const { return tls_ == nullptr ? "" : tls_->error(); }
  /// Says the end, where that is possible without waiting.
  void end();

 private:
  static constexpr size_t kMostAtOnce = 64 << 10, kInput = 32 << 10;

  /// Asio's handlers can be moved alone.
  template <typename Handler>
  static Done copyable(Handler&& handler) {
    auto held = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler));
    return [held](ErrorCode error, size_t bytes) { (*held)(error, bytes); };
  }

  void read_encrypted(std::span<std::byte> to, Done done);
  /// False: it is broken.
  bool encrypt(std::span<const std::byte> bytes);
  void write_output(Done done, size_t bytes);
  void receive(Done done);
  void post(Done done, ErrorCode error, size_t bytes);
  void greet(const std::function<void(Greeting)>& done);
  void watch(uint64_t number, const std::function<void(bool)>& done);

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  std::vector<std::byte> input_, output_;
  uint64_t watch_ = 0;  // number of the one that counts
  bool is_broken_ = false, has_begun_ = false;
};

}  // namespace effdet::server
