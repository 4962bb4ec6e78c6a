// Boost.Beast reads the headers and chunks; bodies of known length are read straight to where they stay.
#include "server/connection.h"

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <functional>
#include <new>

#include "server/cors.h"
#include "server/http_error.h"
#include "server/text.h"

namespace effdet::server {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr size_t kBehindHeader = 32 << 10;  // bytes that are read with a header
constexpr size_t kChunk = 16 << 10;
constexpr double kLinger = 2;  // seconds for a client that is still sending to see the answer

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string field_text(const http::fields& fields, http::field name) { return std::string(view(fields[name])); }

std::optional<uint64_t> header_length_of(const http::fields& fields) {
  const auto found = fields.find("Inference-Header-Content-Length");
  if (found == fields.end()) return std::nullopt;
  const auto length = whole_number<uint64_t>(view(found->value()));
  if (!length) throw HttpError(400, "Inference-Header-Content-Length is no number of bytes");
  return length;
}

bool is_of_http(const boost::system::error_code& error) {
  return error.category() == http::make_error_code(http::error::bad_version).category();
}

int status_of_broken(const boost::system::error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::bad_version) return 505;
  return 400;
}

}  // namespace

Connection::Connection(Socket socket, std::unique_ptr<TlsSession> tls, std::shared_ptr<ConnectionShared> shared)
    : transport_(std::move(socket), std::move(tls)),
      holder_(std::move(shared)),
      shared_(*holder_),
      timer_(shared_.io),
      buffer_(shared_.options.most_header + kBehindHeader) {
  shared_.connections.insert(this);
}

Connection::~Connection() {
  shared_.connections.erase(this);
  guarded([](Connection& connection) { connection.close(); });
}

template <typename Step>
void Connection::guarded(Step step) {
  try {
    step(*this);
  } catch (const std::exception& error) {
    fail(error);
  }
}

void Connection::fail(const std::exception& error) {
  const bool was_busy = is_busy();
  try {
    if (const auto pending = std::exchange(pending_, nullptr)) pending->cancel();
    close();
    if (was_busy) log(0, 500, error.what());
  } catch (const std::exception&) {  // there is no memory for the log
  }
}

template <typename Step>
auto Connection::then(Step step) {
  return [self = shared_from_this(), step = std::move(step)](const auto&... results) {
    self->guarded([&](Connection& connection) { std::invoke(step, connection, results...); });
  };
}

bool Connection::is_busy() const {
  return phase_ != Phase::kGreeting && phase_ != Phase::kIdle && phase_ != Phase::kLinger && phase_ != Phase::kClosed;
}

void Connection::set_deadline(double seconds) {
  set_deadline(Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
}

void Connection::set_deadline(Clock::time_point time) {
  const uint64_t number = ++deadline_;
  timer_.expires_at(time);
  timer_.async_wait([self = weak_from_this(), number](ErrorCode error) {
    const auto connection = self.lock();
    if (connection != nullptr && !error && connection->deadline_ == number)
      connection->guarded([](Connection& expired) { expired.on_deadline(); });
  });
}

void Connection::on_deadline() {
  if (phase_ == Phase::kWork) {
    auto answer = pending_ == nullptr ? std::nullopt : pending_->expire();
    if (!answer) return;  // a stream works at it
    pending_.reset();
    return send(std::move(*answer));
  }
  if (phase_ != Phase::kHeader && phase_ != Phase::kBody) return close();
  timed_out_ = true;  // the read ends now, and its handler tells the client
  ErrorCode ignored;
  transport_.socket().cancel(ignored);
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  const bool was_busy = is_busy();
  phase_ = Phase::kClosed;
  ++deadline_;
  timer_.cancel();
  ErrorCode ignored;
  transport_.socket().close(ignored);
  const auto pending = std::exchange(pending_, nullptr);
  if (pending != nullptr) pending->cancel();
  if (was_busy) end_request();
  if (pending != nullptr) log(0, 499);
}

void Connection::drain() {
  close_after_ = true;
  if (phase_ == Phase::kIdle || phase_ == Phase::kGreeting) close();
}

void Connection::start() {
  guarded([](Connection& connection) {
    if (!connection.transport_.is_encrypted()) return connection.wait_for_request();
    connection.begin_ = Clock::now();
    connection.set_deadline(connection.shared_.options.header_seconds);
    connection.transport_.async_greet(connection.then(&Connection::on_greeting));
  });
}

void Connection::on_greeting(Transport::Greeting greeting) {
  if (phase_ != Phase::kGreeting) return;
  if (greeting == Transport::Greeting::kDone) return wait_for_request();
  if (greeting == Transport::Greeting::kPlain) {
    ++shared_.busy;
    return refuse(error_answer(400, "this port speaks TLS: use https://"));
  }
  method_ = "TLS";
  if (const std::string error = transport_.tls_error(); !error.empty()) log(0, 400, "TLS: " + error);
  close();
}

void Connection::wait_for_request() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kIdle;
  parser_.reset();
  request_.reset();
  timed_out_ = false;
  if (close_after_) return close();
  if (buffer_.size() > 0 || transport_.has_input()) return read_header();  // pipelined
  buffer_.shrink_to_fit();                                                 // many connections only wait
  transport_.rest();
  set_deadline(shared_.options.idle_seconds);
  transport_.socket().async_wait(Socket::wait_read, then([](Connection& self, ErrorCode error) {
                                   if (self.phase_ != Phase::kIdle) return;
                                   error ? self.close() : self.read_header();
                                 }));
}

void Connection::read_header() {
  phase_ = Phase::kHeader;
  ++shared_.busy;
  begin_ = Clock::now();
  set_deadline(shared_.options.header_seconds);
  parser_.emplace();
  parser_->header_limit(shared_.options.most_header);
  parser_->body_limit(shared_.options.most_body);
  method_ = path_ = id_ = traceparent_ = origin_ = "";
  received_ = 0;
  keep_alive_ = is_head_ = is_http10_ = false;
  http::async_read_header(transport_, buffer_, *parser_,
                          then([](Connection& self, ErrorCode error, size_t) { self.on_header(error); }));
}

void Connection::on_header(ErrorCode error) {
  if (phase_ != Phase::kHeader) return;
  if (timed_out_) return refuse(error_answer(408, "the request's header took too long"));
  const bool has_ended = error == http::error::end_of_stream || error == http::error::partial_message;
  if (has_ended || (error && !is_of_http(error))) return close();
  if (error) return refuse_broken(error);
  try {
    take_header();
  } catch (const HttpError& failure) {
    refuse(error_answer(failure.status(), failure.what()));
  }
}

void Connection::refuse_broken(ErrorCode error) {
  constexpr std::string_view kTls = "\x16\x03";  // how a client's first message begins
  const auto* begin = static_cast<const char*>(buffer_.data().data());
  if (std::string_view(begin, buffer_.size()).starts_with(kTls))
    return refuse(error_answer(400, "these are bytes of TLS, and this port speaks plain HTTP: use http://"));
  refuse(error_answer(status_of_broken(error), "this is no request of HTTP/1.1: " + error.message()));
}

void Connection::take_header() {
  const auto& message = parser_->get();
  request_ = std::make_shared<Request>(shared_.service.budget(), shared_.bodies);
  Request& request = *request_;
  request.method = method_ = std::string(view(message.method_string()));
  const std::string target(view(message.target()));
  origin_ = field_text(message, http::field::origin);
  path_ = target.substr(0, target.find('?'));
  if (const std::string_view id = view(message["X-Request-Id"]); is_plain_id(id)) id_ = std::string(id);
  if (const std::string_view parent = view(message["traceparent"]); is_plain_id(parent))
    traceparent_ = std::string(parent);
  if (id_.empty()) id_ = "effdet-" + std::to_string(shared_.next_id++);
  keep_alive_ = message.keep_alive();
  is_head_ = message.method() == http::verb::head;
  is_http10_ = message.version() == 10;
  if (message.version() == 11 && message.count(http::field::host) != 1)
    throw HttpError(400, "the request has no Host, or several");
  if (const auto coding = message[http::field::transfer_encoding];
      !coding.empty() && !boost::beast::iequals(coding, "chunked"))
    throw HttpError(501, "the only Transfer-Encoding that this server reads is chunked");
  if (message.method() == http::verb::options && !shared_.options.cors_origin.empty())
    return refuse(preflight_answer());  // whatever follows
  request.target = parse_target(target);
  request.content_type = field_text(message, http::field::content_type);
  request.content_encoding = field_text(message, http::field::content_encoding);
  request.accept = field_text(message, http::field::accept);
  request.accept_encoding = field_text(message, http::field::accept_encoding);
  request.authorization = field_text(message, http::field::authorization);
  request.header_length = header_length_of(message);

  const auto length = parser_->content_length();
  std::optional<uint64_t> announced;
  if (length) announced = *length;
  if (!length && !parser_->chunked()) announced = 0;
  if (auto answer = shared_.service.refusal(request, announced))
    return announced == 0 ? send(std::move(*answer)) : refuse(std::move(*answer));
  const std::string_view expect = view(message[http::field::expect]);
  phase_ = Phase::kBody;
  set_deadline(shared_.options.body_seconds);
  if (expect.empty() || announced == 0 || is_http10_) return read_body();
  if (!boost::beast::iequals(message[http::field::expect], "100-continue"))
    return refuse(error_answer(417, "the only expectation that this server meets is 100-continue"));
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(transport_, asio::buffer(kContinue), then([](Connection& self, ErrorCode error, size_t) {
                      if (self.phase_ != Phase::kBody) return;
                      if (error && !self.timed_out_) return self.close();
                      self.read_body();
                    }));
}

/// False: the client got an answer instead.
bool Connection::take_bytes(std::span<const std::byte> bytes) {
  Body& body = request_->body;
  received_ += bytes.size();
  if (!request_->reservation.grow(bytes.size())) {
    refuse(error_answer(503, "the server's memory for requests is used up: try again later"));
    return false;
  }
  try {
    while (!bytes.empty()) {
      const std::span<std::byte> room = body.room(bytes.size());
      std::copy_n(bytes.begin(), room.size(), room.begin());
      body.add(room.size());
      bytes = bytes.subspan(room.size());
    }
  } catch (const std::bad_alloc&) {
    refuse(out_of_memory_answer());
    return false;
  }
  return true;
}

void Connection::read_body() {
  const size_t tensor_at = request_->header_length.value_or(0);
  if (parser_->chunked()) {
    request_->body.expect(0, tensor_at);
    return read_chunks();
  }
  const uint64_t length = parser_->content_length() ? *parser_->content_length() : 0;
  const size_t here = std::min<uint64_t>(length, buffer_.size());
  const auto* data = static_cast<const std::byte*>(buffer_.data().data());
  request_->body.expect(length, tensor_at);
  if (!take_bytes({data, here})) return;
  buffer_.consume(here);
  read_known(length - here);
}

void Connection::read_known(uint64_t left) {
  constexpr uint64_t kAtOnce = 1 << 20;
  if (timed_out_) return refuse(error_answer(408, "the request's body took too long"));
  if (left == 0) return handle();
  std::span<std::byte> room;
  try {
    room = request_->body.room(std::min(left, kAtOnce));
  } catch (const std::bad_alloc&) {
    return refuse(out_of_memory_answer());
  }
  transport_.async_read_some(
      asio::buffer(room.data(), room.size()), then([left](Connection& self, ErrorCode error, size_t bytes) {
        if (self.phase_ != Phase::kBody) return;
        if (error && !self.timed_out_) return self.close();
        self.received_ += bytes;
        if (!self.request_->reservation.grow(bytes))
          return self.refuse(error_answer(503, "the server's memory for requests is used up: try again later"));
        self.request_->body.add(bytes);
        self.read_known(left - bytes);
      }));
}

void Connection::read_chunks() {
  if (parser_->is_done()) return handle();
  auto& body = parser_->get().body();
  chunk_.resize(kChunk);
  body.data = chunk_.data();
  body.size = chunk_.size();
  http::async_read(transport_, buffer_, *parser_,
                   then([](Connection& self, ErrorCode error, size_t) { self.on_chunks(error); }));
}

void Connection::on_chunks(ErrorCode error) {
  if (phase_ != Phase::kBody) return;
  if (timed_out_) return refuse(error_answer(408, "the request's body took too long"));
  if (error && error != http::error::need_buffer) {
    const bool has_ended = error == http::error::end_of_stream || error == http::error::partial_message;
    return has_ended || !is_of_http(error) ? close() : refuse_broken(error);
  }
  const size_t filled = chunk_.size() - parser_->get().body().size;
  if (!take_bytes(std::as_bytes(std::span(chunk_).first(filled)))) return;
  read_chunks();
}

void Connection::handle() {
  phase_ = Phase::kWork;
  ++deadline_;
  timer_.cancel();
  request_->arrival = Clock::now();
  // The last to hold the connection must be this thread, and no stream's.
  auto done = [this, send = then(&Connection::send_worked_out)](Answer answer) mutable {
    worked_out_ = std::move(answer);
    asio::post(shared_.io, asio::bind_allocator(HandlerAllocator<std::byte>(memory_), std::move(send)));
  };
  std::shared_ptr<Request> request = std::exchange(request_, nullptr);
  if (auto answer = shared_.service.handle(std::move(request), pending_, std::move(done)))
    return send(std::move(*answer));
  if (pending_->deadline()) set_deadline(*pending_->deadline());
  watch_client();
}

void Connection::send_worked_out() {
  Answer answer = std::exchange(worked_out_, {});
  if (phase_ != Phase::kWork) return;
  pending_.reset();
  send(std::move(answer));
}

/// While a request waits for its answer nothing is read: what comes is the next request, or the client's end.
void Connection::watch_client() {
  watching_ = true;
  transport_.async_watch(then([](Connection& self, bool has_left) {
    self.watching_ = false;
    if (has_left && self.phase_ == Phase::kWork) self.close();
  }));
}

/// Answers before all of the request was read, and so ends the connection: what follows would be taken for a request.
void Connection::refuse(Answer answer) {
  close_after_ = true;
  timed_out_ = false;
  keep_alive_ = false;
  request_.reset();  // while the client goes on sending, others may have its memory
  send(std::move(answer));
}

std::string Connection::header_text(const Answer& answer, bool keep_alive) const {
  const auto reason = http::obsolete_reason(static_cast<http::status>(answer.status));
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " " + std::string(view(reason)) + "\r\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  add("Content-Type", answer.content_type);
  add("Content-Length", std::to_string(answer.body_bytes()));
  if (!id_.empty()) add("X-Request-Id", id_);
  add("X-Content-Type-Options", "nosniff");
  if (!keep_alive) add("Connection", "close");
  if (keep_alive && is_http10_) add("Connection", "keep-alive");
  for (const auto& [name, value] : answer.fields) add(name, value);
  return text + "\r\n";
}

void Connection::send(Answer answer) {
  phase_ = Phase::kWrite;
  if (std::exchange(watching_, false)) transport_.stop_watching();
  set_deadline(shared_.options.body_seconds);
  answer_ = std::move(answer);
  allow_origin(answer_, shared_.options.cors_origin, origin_);
  keep_alive_ = keep_alive_ && !close_after_;
  head_ = header_text(answer_, keep_alive_);
  std::vector<asio::const_buffer> buffers = {asio::buffer(head_)};
  if (!is_head_) {
    buffers.push_back(asio::buffer(answer_.text));
    for (const auto& part : answer_.parts) buffers.push_back(asio::buffer(part.data(), part.size()));
  }
  asio::async_write(transport_, buffers, then([](Connection& self, ErrorCode error, size_t) { self.on_sent(error); }));
}

void Connection::on_sent(ErrorCode error) {
  if (phase_ != Phase::kWrite) return;
  const uint64_t sent = answer_.body_bytes();
  const int status = answer_.status;
  const std::string reason = std::move(answer_.error);
  answer_ = {};
  shared_.service.count_request();
  log(sent, error ? 499 : status, reason);
  if (error) return close();
  if (!keep_alive_) return linger();
  phase_ = Phase::kIdle;
  end_request();
  wait_for_request();
}

void Connection::log(uint64_t sent, int status, const std::string& error) {
  if (!shared_.options.on_request) return;
  shared_.options.on_request({.id = id_,
                              .method = method_,
                              .path = path_,
                              .status = status,
                              .received = received_,
                              .sent = sent,
                              .seconds = std::chrono::duration<double>(Clock::now() - begin_).count(),
                              .traceparent = traceparent_,
                              .error = error});
}

/// A socket that is closed while bytes come in resets the connection, and the client may never see the answer.
void Connection::linger() {
  phase_ = Phase::kLinger;
  end_request();
  if (phase_ == Phase::kClosed) return;
  chunk_.resize(kChunk);
  ErrorCode ignored;
  transport_.end();
  transport_.socket().shutdown(Socket::shutdown_send, ignored);
  set_deadline(kLinger);
  read_away();
}

void Connection::read_away() {
  transport_.socket().async_read_some(asio::buffer(chunk_), then([](Connection& self, ErrorCode error, size_t) {
                                        if (self.phase_ != Phase::kLinger) return;
                                        error ? self.close() : self.read_away();
                                      }));
}

void Connection::end_request() {
  --shared_.busy;
  shared_.on_idle();
}

}  // namespace effdet::server
