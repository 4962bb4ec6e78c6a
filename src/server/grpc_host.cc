// Finds libeffdet_grpc.so, and hands its requests to the service.
#include "server/grpc_host.h"

#include <atomic>
#include <utility>

#include "base/error.h"
#include "base/shared_library.h"
#include "server/text.h"

namespace effdet::server {
namespace {

class Host final : public GrpcHost {
 public:
  Host(Service& service, const ServerOptions& options) : service_(service), on_request_(options.on_request) {}

  std::shared_ptr<Request> new_request() override { return std::make_shared<Request>(service_.budget(), bodies_); }

  void add_body(Request& request, std::string_view text) override {
    request.body.append(std::as_bytes(std::span(text)));
  }

  std::string request_id(const std::string& given) override {
    return is_plain_id(given) ? given : "effdet-grpc-" + std::to_string(++next_id_);
  }

  std::optional<Answer> refusal(const std::string& authorization) override {
    Request request(service_.budget(), bodies_);
    request.method = "GET";
    request.target.path = {"v2"};
    request.authorization = authorization;
    return service_.refusal(request, 0);
  }

  std::optional<Answer> handle(std::shared_ptr<Request> request, std::shared_ptr<PendingAnswer>& pending,
                               std::function<void(Answer)> done) override {
    if (auto refused = service_.refusal(*request, 0)) return refused;
    return service_.handle(std::move(request), pending, std::move(done));
  }

  void log(const GrpcCallRecord& record) override {
    service_.count_request();
    if (!on_request_) return;
    on_request_({.id = record.id,
                 .method = "gRPC",
                 .path = record.path,
                 .status = record.status,
                 .received = record.received,
                 .sent = record.sent,
                 .seconds = std::chrono::duration<double>(Clock::now() - record.begin).count(),
                 .traceparent = record.traceparent,
                 .error = record.error});
  }

 private:
  Service& service_;
  const std::function<void(const ServedRequest&)> on_request_;
  const std::shared_ptr<BodyPool> bodies_ = std::make_shared<BodyPool>();  // of which messages have none
  std::atomic<uint64_t> next_id_ = 0;
};

const GrpcModule& grpc_module_table() {
  static const auto& module = module_table<GrpcModule>(
      reinterpret_cast<const void*>(&grpc_module_table), "libeffdet_grpc.so", kGrpcModuleEntry, kGrpcModuleVersion,
      "gRPC needs libeffdet_grpc.so (of the package effdet-grpc) and gRPC's libraries (Debian: libgrpc++1.51; to build "
      "it libgrpc++-dev)");
  return module;
}

}  // namespace

std::unique_ptr<GrpcHost> make_grpc_host(Service& service, const ServerOptions& options) {
  return std::make_unique<Host>(service, options);
}

std::unique_ptr<GrpcServer> start_grpc(GrpcHost& host, const ServerOptions& options) {
  std::string error;
  auto server = grpc_module_table().start(host,
                                          {.host = options.host == "localhost" ? "127.0.0.1" : options.host,
                                           .port = options.grpc_port,
                                           .certificate = options.certificate,
                                           .key = options.key,
                                           .most_message = options.most_body,
                                           .most_memory = options.most_memory,
                                           .most_calls = options.most_connections,
                                           .idle_seconds = options.idle_seconds,
                                           .message_seconds = options.body_seconds,
                                           .handshake_seconds = options.header_seconds},
                                          error);
  if (server == nullptr)
    fail(ErrorCode::kIo, "cannot listen on {} port {} for gRPC: {}", options.host, options.grpc_port, error);
  return server;
}

}  // namespace effdet::server
