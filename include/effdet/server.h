// A server: compiled models behind HTTP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/detection.h"
#include "effdet/export.h"
#include "effdet/streams.h"

namespace effdet {

/// A model and the name under which clients ask for it.
struct ServedModel {
  std::string name;  ///< letters, digits, '_', '-' and '.', at most 128 of them
  CompiledModel model;
  std::optional<StreamLayout> layout = std::nullopt;  ///< none: ServerOptions::layout
  std::optional<size_t> queue = std::nullopt;         ///< none: ServerOptions::queue
};

/// A finished request, for logs.
struct ServedRequest {
  std::string id;                   ///< the client's X-Request-Id, else one of the server's
  std::string method;               ///< "GET"; "gRPC" for its calls
  std::string path;                 ///< as the client wrote it, without the query; of gRPC the service and its method
  int status = 0;                   ///< of HTTP; 499 where the client left before the answer
  uint64_t received = 0, sent = 0;  ///< bytes of the bodies
  double seconds = 0;               ///< from the request's first byte to the answer's last one
  std::string traceparent;          ///< of the W3C's trace context; empty: none
  std::string error;                ///< what the client was told; empty: it succeeded
};

struct ServerOptions {
  std::string host = "127.0.0.1";  ///< address to listen on; "0.0.0.0" or "::" for all
  int port = 8000;                 ///< 0: any free one, which Server::port() tells
  /// Path of a socket to listen on instead of host and port; what is there must be a socket that nobody listens on.
  /// Goes with the server.
  std::string unix_socket;
  /// A socket that listens already, as a service manager gives it, instead of host and port. The server closes it. -1:
  /// none.
  int listening_socket = -1;
  /// Of gRPC, on the same host, for which libeffdet_grpc.so is loaded. 0: any free one, which Server::grpc_port()
  /// tells; -1: no gRPC.
  int grpc_port = -1;
  /// Files in PEM with the server's certificate, those of its issuers behind it, and its key: HTTP and gRPC go over TLS
  /// 1.2 or 1.3 then, for which libeffdet_tls.so is loaded. Renewed files are read again. Empty: plain.
  std::string certificate, key;
  StreamLayout layout;               ///< of each model: inferences at the same time, and threads for each
  DetectOptions detect;              ///< of pictures, where the client asks for nothing else
  size_t queue = 64;                 ///< requests of each model that wait for a free stream, at most
  uint64_t queue_bytes = 256 << 20;  ///< bytes of their bodies, at most
  double queue_seconds = 0;          ///< requests without a timeout of their own are dropped then; 0: never
  /// Of requests, 1 to so many: lower numbers run first, and displace higher ones from a full queue; those that ask for
  /// none have the one in the middle. 0: all are the same, whatever they ask for.
  int priority_levels = 0;
  /// Requests for tensors that wait run together, at most so many, where the model has a plan for so many of them
  /// (`atc --dynamic_batch_size`). 1: each for itself.
  size_t preferred_batch = 1;
  uint64_t queue_delay_us = 0;         ///< so long a request waits for others of its batch to come
  uint64_t most_body = 64 << 20;       ///< bytes of a request's body
  uint32_t most_header = 32 << 10;     ///< of its header, with all fields; 64 KiB at most
  uint64_t most_pixels = 100'000'000;  ///< of a picture
  uint64_t most_memory = 1 << 30;      ///< bytes of all bodies, pictures and answers at the same time
  size_t most_connections = 16384;
  double idle_seconds = 75;    ///< a connection without a request is closed then
  double header_seconds = 10;  ///< from a request's first byte to its last header line
  double body_seconds = 60;    ///< for the whole body, and for sending the whole answer
  double drain_seconds = 30;   ///< stop() waits so long for accepted requests
  /// Clients on the same machine may name POSIX shared memory with their inputs, and for outputs (Triton's extension
  /// for system shared memory): whatever objects the server's user may open. The first such region installs a handler
  /// of SIGBUS, for objects that clients make shorter.
  bool shared_memory = false;
  /// Clients must send "Authorization: Bearer TOKEN", but for health and the page; empty: nobody must.
  std::string token;
  /// "https://example.org": pages of this origin may be clients (CORS); "*": all pages; empty: none but the server's.
  std::string cors_origin;
  /// Opens a model that a client asks to load, by its name, which is one that ServedModel::name may have; called by a
  /// thread of the server, one call at a time. A model of that name goes on until the new one takes over. What it
  /// throws is told to on_note alone. Empty: clients cannot load or unload.
  std::function<CompiledModel(const std::string& name)> open_model;
  std::function<void(const std::string& note)> on_note;  ///< one line on a model that was loaded, unloaded or refused
  /// Called after each request, by one of the server's threads at a time, which waits for it.
  std::function<void(const ServedRequest&)> on_request;
};

/// Serves models over HTTP/1.1 and gRPC (docs/serving.md): the Open Inference Protocol with binary tensors, detection
/// in pictures, health and metrics. In libeffdet_server.so.
class Server {
 public:
  /// Listens, and serves from then on in threads of its own. Throws Error(kUsage) for names and options out of range,
  /// and for the same name twice; Error(kIo) where it cannot listen; Error(kIo) and Error(kBadInput) for files that are
  /// no certificate and its key; Error(kUnsupported) where gRPC or TLS is asked for and the module or its libraries are
  /// missing; Error(kOutOfMemory).
  EFFDET_API explicit Server(std::vector<ServedModel> models, const ServerOptions& options = {});
  /// As stop() and wait().
  EFFDET_API ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// On which it listens; 0 with a socket of the file system.
  EFFDET_API int port() const;
  /// -1 without gRPC.
  EFFDET_API int grpc_port() const;
  /// Is not ready any more, refuses new work, finishes what was accepted, and ends. Returns at once.
  EFFDET_API void stop();
  /// Returns when the server has ended after stop(). False: drain_seconds were over before all was answered.
  EFFDET_API bool wait();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
