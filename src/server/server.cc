// The listener, and the thread that serves all connections.
#include "effdet/server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "effdet/error.h"
#include "server/certificate.h"
#include "server/connection.h"
#include "server/grpc_host.h"

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

/// What a server that was killed leaves behind is taken away; a file, and the socket of a server that runs, are not.
void remove_stale_socket(asio::io_context& io, const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) throw Error(ErrorCode::kUsage, path + " is no socket: choose another path");
  boost::system::error_code error;
  asio::local::stream_protocol::socket probe(io);
  probe.connect(path, error);
  if (!error) throw Error(ErrorCode::kIo, "cannot listen on " + path + ": a server is listening there");
  ::unlink(path.c_str());
}

constexpr uint32_t kMostHeader = 64 << 10;  // Beast ends the program at a field that is longer

/// HTTP and gRPC have threads of their own.
ServerOptions with_one_log(ServerOptions options) {
  if (options.on_request)
    options.on_request = [mutex = std::make_shared<std::mutex>(),
                          call = std::move(options.on_request)](const ServedRequest& request) {
      const std::lock_guard lock(*mutex);
      call(request);
    };
  return options;
}

/// A connection's socket, whatever it came from.
using Socket = server::Connection::Socket;

}  // namespace

struct Server::Impl {
  using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

  Impl(std::vector<ServedModel> models, const ServerOptions& options)
      : service(std::move(models), options, std::make_shared<server::MemoryBudget>(options.most_memory)),
        shared(std::make_shared<server::ConnectionShared>(server::ConnectionShared{io, service, options})),
        acceptor(io),
        retry(io),
        limit(io) {
    if (options.most_header > kMostHeader)
      throw Error(ErrorCode::kUsage, "headers of " + std::to_string(options.most_header) + " bytes: at most 64 KiB");
    if (!options.certificate.empty() || !options.key.empty())
      certificate.emplace(options.certificate, options.key, options.on_note);
    if (options.grpc_port >= 0) {
      grpc_host = server::make_grpc_host(service, options);
      grpc = server::start_grpc(*grpc_host, options);
      grpc_port = grpc->port();
    }
    if (options.listening_socket >= 0) {
      take_over(options.listening_socket);
    } else {
      options.unix_socket.empty() ? listen(endpoint_of(options)) : listen(options.unix_socket);
    }
    shared->on_idle = [this] { end_if_drained(); };
    accept();
    thread = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "effdet-io");
      run();
    });
  }

  /// What Asio throws in place of a connection's handler ends that connection, by the time limit that it has at that
  /// moment, and not the server.
  void run() {
    for (bool done = false; !done;) {
      try {
        if (!acceptor.is_open()) close_connections();  // which an exception may have kept from it
        if (acceptor.is_open() && !is_accepting) accept();
        io.run();
        done = true;
      } catch (const std::exception& error) {
        note_failure(error);
        io.restart();  // it has stopped where the handler that threw was its last one
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // memory may come back
      }
    }
  }

  void note_failure(const std::exception& error) const {
    try {
      if (shared->options.on_note) shared->options.on_note(std::string("a connection failed: ") + error.what());
    } catch (const std::exception&) {  // there is no memory to say so
    }
  }

  /// A socket of somebody else, who knows its address.
  void take_over(int socket) {
    sockaddr_storage address{};
    socklen_t length = sizeof address, int_length = sizeof(int);
    int listens = 0;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
        ::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_length) != 0 || listens == 0)
      throw Error(ErrorCode::kUsage, "descriptor " + std::to_string(socket) + " is no socket that listens");
    acceptor.assign({address.ss_family, 0}, socket);
    is_tcp = address.ss_family != AF_UNIX;
    if (address.ss_family == AF_INET) port = ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    if (address.ss_family == AF_INET6) port = ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }

  void listen(const tcp::endpoint& endpoint) {
    tcp::acceptor tcp_acceptor(io);
    listen_at(tcp_acceptor, endpoint, endpoint.address().to_string() + " port " + std::to_string(endpoint.port()));
    port = tcp_acceptor.local_endpoint().port();
    acceptor.assign(endpoint.protocol(), tcp_acceptor.release());
  }

  void listen(const std::string& path) {
    using asio::local::stream_protocol;
    if (path.size() >= sizeof(sockaddr_un::sun_path))
      throw Error(ErrorCode::kUsage, path + ": longer than the path of a socket may be");
    remove_stale_socket(io, path);
    stream_protocol::acceptor local_acceptor(io);
    listen_at(local_acceptor, stream_protocol::endpoint(path), path);
    acceptor.assign(stream_protocol(), local_acceptor.release());
    socket_path = path;
    is_tcp = false;
  }

  template <typename SomeAcceptor, typename Endpoint>
  static void listen_at(SomeAcceptor& some, const Endpoint& endpoint, const std::string& name) {
    boost::system::error_code error;
    some.open(endpoint.protocol(), error);
    if (!error) some.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) some.bind(endpoint, error);
    if (!error) some.listen(4096, error);
    if (error) throw Error(ErrorCode::kIo, "cannot listen on " + name + ": " + error.message());
  }

  /// Goes with the handler, which Asio destroys without a call where memory runs out.
  struct Clear {
    void operator()(bool* flag) const { *flag = false; }
  };
  std::unique_ptr<bool, Clear> mark_accepting() {
    is_accepting = true;
    return std::unique_ptr<bool, Clear>(&is_accepting);
  }

  void accept() {
    acceptor.async_accept([this, mark = mark_accepting()](boost::system::error_code error, Socket socket) mutable {
      mark.reset();
      if (error == asio::error::operation_aborted || !acceptor.is_open()) return;
      if (error) return accept_later();  // no descriptors are left, for instance
      if (shared->connections.size() < shared->options.most_connections) serve(std::move(socket));
      accept();
    });
  }

  void accept_later() {
    retry.expires_after(std::chrono::milliseconds(50));
    retry.async_wait([this, mark = mark_accepting()](boost::system::error_code error) mutable {
      mark.reset();
      if (!error && acceptor.is_open()) accept();
    });
  }

  void serve(Socket socket) {
    boost::system::error_code ignored;
    if (is_tcp) socket.set_option(tcp::no_delay(true), ignored);
    std::unique_ptr<server::TlsSession> tls;
    if (certificate && (tls = certificate->accept()) == nullptr) return;
    std::make_shared<server::Connection>(std::move(socket), std::move(tls), shared)->start();
    service.count_connections(shared->connections.size());
  }

  void drain() {
    if (service.draining()) return;
    service.drain();
    for (server::Connection* connection : snapshot()) connection->drain();
    if (grpc) grpc->drain();
    end_by = server::Clock::now() + std::chrono::duration_cast<server::Clock::duration>(
                                        std::chrono::duration<double>(shared->options.drain_seconds));
    limit.expires_at(end_by);
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
    if (!socket_path.empty()) ::unlink(socket_path.c_str());
    retry.cancel();
    limit.cancel();
    close_connections();
  }

  void close_connections() {
    for (server::Connection* connection : snapshot()) connection->close();
  }

  /// When the thread has ended.
  bool finish() {
    if (const auto server = std::exchange(grpc, nullptr)) drained = server->finish(end_by) && drained;
    return drained;
  }

  bool is_accepting = false;  // or waits to do so
  asio::io_context io{1};
  server::Service service;
  std::optional<server::Certificate> certificate;
  std::unique_ptr<server::GrpcHost> grpc_host;
  std::unique_ptr<server::GrpcServer> grpc;
  server::Clock::time_point end_by;
  std::shared_ptr<server::ConnectionShared> shared;
  Acceptor acceptor;
  asio::steady_timer retry, limit;
  int port = 0, grpc_port = -1;
  std::string socket_path;
  bool drained = true, is_tcp = true;
  std::thread thread;
};

Server::Server(std::vector<ServedModel> models, const ServerOptions& options)
    : impl_(std::make_unique<Impl>(std::move(models), with_one_log(options))) {}

Server::~Server() {
  stop();
  wait();
}

int Server::port() const { return impl_->port; }

int Server::grpc_port() const { return impl_->grpc_port; }

void Server::stop() {
  asio::post(impl_->io, [impl = impl_.get()] { impl->drain(); });
}

bool Server::wait() {
  if (impl_->thread.joinable()) impl_->thread.join();
  return impl_->finish();
}

}  // namespace effdet
