// Moves bytes between a socket and its encryption.
#include "server/transport.h"

#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace effdet::server {

namespace asio = boost::asio;

void Transport::post(Done done, ErrorCode error, size_t bytes) {
  asio::post(socket_.get_executor(), [done = std::move(done), error, bytes] { done(error, bytes); });
}

/// More of what the client sends.
void Transport::receive(Done done) {
  input_.resize(kInput);
  socket_.async_read_some(asio::buffer(input_), [this, done = std::move(done)](ErrorCode error, size_t bytes) {
    if (!error) tls_->receive(std::span(input_).first(bytes));
    done(error, bytes);
  });
}

void Transport::write_output(Done done, size_t bytes) {
  if (is_broken_) return post(std::move(done), asio::error::connection_aborted, 0);
  output_ = tls_->take_output();
  if (output_.empty()) return post(std::move(done), {}, bytes);
  asio::async_write(socket_, asio::buffer(output_), [this, done = std::move(done), bytes](ErrorCode error, size_t) {
    output_ = {};
    done(error, error ? 0 : bytes);
  });
}

bool Transport::encrypt(std::span<const std::byte> bytes) {
  if (!bytes.empty() && tls_->write(bytes) != TlsState::kGood) is_broken_ = true;
  return !is_broken_;
}

void Transport::read_encrypted(std::span<std::byte> to, Done done) {
  size_t bytes = 0;
  switch (tls_->read(to, bytes)) {
    case TlsState::kGood:
      return post(std::move(done), {}, bytes);
    case TlsState::kEnded:
      return post(std::move(done), asio::error::eof, 0);
    case TlsState::kBroken:
      is_broken_ = true;
      return post(std::move(done), asio::error::connection_aborted, 0);
    case TlsState::kWantsInput:
      return receive([this, to, done = std::move(done)](ErrorCode error, size_t) {
        if (error) return done(error, 0);
        read_encrypted(to, done);
      });
  }
}

void Transport::async_watch(std::function<void(bool has_left)> done) { watch(++watch_, done); }

void Transport::watch(uint64_t number, const std::function<void(bool)>& done) {
  if (tls_ == nullptr) {
    socket_.async_wait(Socket::wait_read, [this, number, done](ErrorCode error) {
      if (error || number != watch_) return;
      char byte;
      const ssize_t seen = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
      done(seen == 0 || (seen < 0 && errno != EAGAIN && errno != EINTR));
    });
    return;
  }
  // The end of TLS is a message among others.
  const TlsState state = tls_->look();
  if (state != TlsState::kWantsInput) return done(state != TlsState::kGood);
  receive([this, number, done](ErrorCode error, size_t) {
    if (number != watch_) return;
    if (error) return done(true);
    watch(number, done);
  });
}

void Transport::stop_watching() {
  ++watch_;
  ErrorCode ignored;
  socket_.cancel(ignored);
}

void Transport::async_greet(std::function<void(Greeting)> done) { greet(done); }

void Transport::greet(const std::function<void(Greeting)>& done) {
  const TlsState state = tls_->handshake();
  const auto goes_on = [this, state, done](ErrorCode error, size_t) {
    if (error || state == TlsState::kBroken || state == TlsState::kEnded) return done(Greeting::kFailed);
    if (state == TlsState::kGood) return done(Greeting::kDone);
    receive([this, done](ErrorCode failed, size_t bytes) {
      if (failed) return done(Greeting::kFailed);
      // TLS begins with a byte below those of letters.
      if (!std::exchange(has_begun_, true) && bytes > 0 && static_cast<char>(input_[0]) >= 'A') {
        tls_ = nullptr;
        return done(Greeting::kPlain);
      }
      greet(done);
    });
  };
  // Of a handshake that failed the alert goes out, too.
  output_ = tls_->take_output();
  if (output_.empty()) return goes_on({}, 0);
  asio::async_write(socket_, asio::buffer(output_), goes_on);
}

void Transport::end() {
  if (tls_ == nullptr || is_broken_) return;
  tls_->end();
  const std::vector<std::byte> last = tls_->take_output();
  static_cast<void>(::send(socket_.native_handle(), last.data(), last.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

}  // namespace effdet::server
