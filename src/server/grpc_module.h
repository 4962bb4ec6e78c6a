// Between libeffdet_server and its module for gRPC, which alone is linked with gRPC and protobuf and is loaded with the
// first server that has a port for it. Both are of one build, so that classes cross the border; exceptions do not.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/message.h"

namespace effdet::server {

constexpr int kGrpcModuleVersion = 2;
constexpr const char* kGrpcModuleEntry = "effdet_grpc_module";

/// A call that is over, for logs.
struct GrpcCallRecord {
  std::string id, path, traceparent;
  std::string error;  ///< empty: none
  int status = 0;     ///< of HTTP, as for the same request there
  uint64_t received = 0, sent = 0;
  Clock::time_point begin;
};

/// The server as the module sees it. Any thread may call it.
class GrpcHost {
 public:
  virtual ~GrpcHost() = default;
  virtual std::shared_ptr<Request> new_request() = 0;
  /// Gives a request the body that it has in HTTP.
  virtual void add_body(Request& request, std::string_view text) = 0;
  /// What goes into logs: the client's name for its request where it is a plain one, else one of the server's.
  virtual std::string request_id(const std::string& given) = 0;
  /// Before a message is read: nothing where the call may go on.
  virtual std::optional<Answer> refusal(const std::string& authorization) = 0;
  /// Answers at once, or later by `done`, and then sets pending. A request's target is the path of the same request in
  /// HTTP.
  virtual std::optional<Answer> handle(std::shared_ptr<Request> request, std::shared_ptr<PendingAnswer>& pending,
                                       std::function<void(Answer)> done) = 0;
  virtual void log(const GrpcCallRecord& record) = 0;
};

struct GrpcOptions {
  std::string host;              ///< address
  int port = 0;                  ///< 0: any free one
  std::string certificate, key;  ///< files in PEM, which were read before; empty: no TLS
  uint64_t most_message = 0;     ///< bytes of a request
  uint64_t most_memory = 0;      ///< for what arrives
  size_t most_calls = 0;         ///< at the same time
  double idle_seconds = 0;       ///< after which a connection without a call is closed
  double message_seconds = 0;    ///< for the message of a call that is no stream, and for sending an answer
  double handshake_seconds = 0;  ///< for the beginning of a connection
};

/// Listens from its beginning to its end.
class GrpcServer {
 public:
  virtual ~GrpcServer() = default;
  virtual int port() const = 0;
  /// Takes no more requests; streams end when theirs are answered. Returns at once.
  virtual void drain() = 0;
  /// Ends, after drain(). Waits until all is answered, but not longer than until then. False: calls were cut off.
  virtual bool finish(Clock::time_point limit) = 0;
};

struct GrpcModule {
  int version;
  /// nullptr where it cannot listen, and says why.
  std::unique_ptr<GrpcServer> (*start)(GrpcHost& host, const GrpcOptions& options, std::string& error);
};

}  // namespace effdet::server
