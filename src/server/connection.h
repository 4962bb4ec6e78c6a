// A client's connection: reads requests, writes answers, and keeps to the time limits.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "effdet/server.h"
#include "server/handler_memory.h"
#include "server/service.h"
#include "server/transport.h"

namespace effdet::server {

class Connection;

/// What all connections share. The thread that runs them alone uses it.
struct ConnectionShared {
  boost::asio::io_context& io;
  Service& service;
  ServerOptions options;
  std::shared_ptr<BodyPool> bodies = std::make_shared<BodyPool>();
  std::unordered_set<Connection*> connections = {};
  size_t busy = 0;                        ///< connections with a request
  std::function<void()> on_idle = [] {};  ///< a request is done
  uint64_t next_id = 1;
};

/// One request after the other. Everything but the work itself runs in one thread. An exception, such as that of memory
/// that runs out, ends the connection alone.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = Transport::Socket;

  /// tls: nullptr for plain HTTP.
  Connection(Socket socket, std::unique_ptr<TlsSession> tls, std::shared_ptr<ConnectionShared> shared);
  /// Of one that no call waits for any more: an exception has taken it away.
  ~Connection();
  void start();
  /// Closes it unless it has a request; otherwise after the answer.
  void drain();
  /// Closes it at once.
  void close();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  using ErrorCode = boost::system::error_code;
  enum class Phase { kGreeting, kIdle, kHeader, kBody, kWork, kWrite, kLinger, kClosed };

  /// The handler of an asynchronous call: step(*this, results...).
  template <typename Step>
  auto then(Step step);
  /// Calls step(*this); what it throws ends the connection.
  template <typename Step>
  void guarded(Step step);
  void fail(const std::exception& error);
  void on_greeting(Transport::Greeting greeting);
  void wait_for_request();
  void read_header();
  void on_header(ErrorCode error);
  void take_header();
  void read_body();
  void read_chunks();
  void on_chunks(ErrorCode error);
  void read_known(uint64_t left);
  void handle();
  void send_worked_out();
  void watch_client();
  void refuse(Answer answer);
  void refuse_broken(ErrorCode error);
  void send(Answer answer);
  void on_sent(ErrorCode error);
  void log(uint64_t sent, int status, const std::string& error = {});
  void linger();
  void read_away();
  void end_request();
  bool take_bytes(std::span<const std::byte> bytes);
  void set_deadline(double seconds);
  void set_deadline(Clock::time_point time);
  void on_deadline();
  /// With a request that has no whole answer yet.
  bool is_busy() const;
  std::string header_text(const Answer& answer, bool keep_alive) const;

  Transport transport_;
  const std::shared_ptr<ConnectionShared> holder_;
  ConnectionShared& shared_;
  boost::asio::steady_timer timer_;
  uint64_t deadline_ = 0;  // number of the deadline that counts
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::shared_ptr<Request> request_;
  std::shared_ptr<PendingAnswer> pending_;
  Answer answer_, worked_out_;  // that is being written; that a stream has made
  HandlerMemory memory_;        // to say so
  std::string head_;
  std::vector<char> chunk_;
  Phase phase_ = Phase::kGreeting;
  bool timed_out_ = false, watching_ = false, keep_alive_ = false, is_head_ = false, is_http10_ = false,
       close_after_ = false;
  uint64_t received_ = 0;
  std::string method_, path_, id_, traceparent_, origin_;
  Clock::time_point begin_;
};

}  // namespace effdet::server
