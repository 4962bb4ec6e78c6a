// The listener, and the thread that serves all connections.
#include "effdet/server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "effdet/error.h"
#include "server/connection.h"

namespace effdet {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

tcp::endpoint endpoint_of(const ServerOptions& options) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
  if (error) throw Error(ErrorCode::kUsage, "host '" + options.host + "' is no address: expected one like 127.0.0.1");
  if (options.port < 0 || options.port > 65535)
    throw Error(ErrorCode::kUsage, "port " + std::to_string(options.port) + ": expected 0 to 65535");
  return {address, static_cast<uint16_t>(options.port)};
}

}  // namespace

struct Server::Impl {
  Impl(std::vector<ServedModel> models, const ServerOptions& options)
      : service(std::move(models), options, std::make_shared<server::MemoryBudget>(options.most_memory)),
        shared(std::make_shared<server::ConnectionShared>(server::ConnectionShared{io, service, options})),
        acceptor(io),
        retry(io),
        limit(io) {
    listen(endpoint_of(options));
    shared->on_idle = [this] { end_if_drained(); };
    accept();
    thread = std::thread([this] { io.run(); });
  }

  void listen(const tcp::endpoint& endpoint) {
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(4096, error);
    if (error)
      throw Error(ErrorCode::kIo, "cannot listen on " + endpoint.address().to_string() + " port " +
                                      std::to_string(endpoint.port()) + ": " + error.message());
    port = acceptor.local_endpoint().port();
  }

  void accept() {
    acceptor.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor.is_open()) return;
      if (error) return accept_later();  // no descriptors are left, for instance
      if (shared->connections.size() < shared->options.most_connections) serve(std::move(socket));
      accept();
    });
  }

  void accept_later() {
    retry.expires_after(std::chrono::milliseconds(50));
    retry.async_wait([this](boost::system::error_code error) {
      if (!error && acceptor.is_open()) accept();
    });
  }

  void serve(tcp::socket socket) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<server::Connection>(std::move(socket), shared)->start();
    service.count_connections(shared->connections.size());
  }

  void drain() {
    if (service.draining()) return;
    service.drain();
    for (server::Connection* connection : snapshot()) connection->drain();
    limit.expires_after(std::chrono::duration_cast<server::Clock::duration>(
        std::chrono::duration<double>(shared->options.drain_seconds)));
    limit.async_wait([this](boost::system::error_code error) {
      if (error) return;
      drained = false;
      end();
    });
    end_if_drained();
  }

  /// Closing takes connections out of the set, later or at once.
  std::vector<server::Connection*> snapshot() const { return {shared->connections.begin(), shared->connections.end()}; }

  void end_if_drained() {
    if (service.draining() && shared->busy == 0) end();
  }

  /// The thread ends when nothing is left to do.
  void end() {
    if (!acceptor.is_open()) return;
    boost::system::error_code ignored;
    acceptor.close(ignored);
    retry.cancel();
    limit.cancel();
    for (server::Connection* connection : snapshot()) connection->close();
  }

  asio::io_context io{1};
  server::Service service;
  std::shared_ptr<server::ConnectionShared> shared;
  tcp::acceptor acceptor;
  asio::steady_timer retry, limit;
  int port = 0;
  bool drained = true;
  std::thread thread;
};

Server::Server(std::vector<ServedModel> models, const ServerOptions& options)
    : impl_(std::make_unique<Impl>(std::move(models), options)) {}

Server::~Server() {
  stop();
  wait();
}

int Server::port() const { return impl_->port; }

void Server::stop() {
  asio::post(impl_->io, [impl = impl_.get()] { impl->drain(); });
}

bool Server::wait() {
  if (impl_->thread.joinable()) impl_->thread.join();
  return impl_->drained;
}

}  // namespace effdet
