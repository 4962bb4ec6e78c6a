// The server of gRPC, and the functions that libeffdet_server calls.
#include <grpc/support/log.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "server/grpc/call.h"

namespace effdet::server::grpc_module {
namespace {

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(CallsShared& shared) : shared_(shared) {}
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Call(shared_, *context);
  }

 private:
  CallsShared& shared_;
};

int milliseconds(double seconds) { return static_cast<int>(std::min<double>(seconds * 1000, INT_MAX)); }

class ModuleServer final : public GrpcServer {
 public:
  ModuleServer(GrpcHost& host, const GrpcOptions& options)
      : shared_{.host = host, .most_calls = options.most_calls, .message_seconds = options.message_seconds},
        service_(shared_) {
    grpc::ServerBuilder builder;
    const bool is_ipv6 = options.host.find(':') != std::string::npos;
    const std::string address =
        (is_ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
    builder.AddListeningPort(address, credentials(options), &port_);
    builder.RegisterCallbackGenericService(&service_);
    builder.SetMaxReceiveMessageSize(static_cast<int>(std::min<uint64_t>(options.most_message, INT_MAX)));
    builder.SetMaxSendMessageSize(-1);
    builder.SetResourceQuota(grpc::ResourceQuota().Resize(options.most_memory));
    // gRPC unpacks a message before it looks at its size, so that a small one may take all memory.
    builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
    builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // two servers on a port would share its clients
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMostStreams);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, milliseconds(options.idle_seconds));
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, milliseconds(options.handshake_seconds));
    server_ = builder.BuildAndStart();
  }

  ~ModuleServer() override {
    drain();
    if (server_) finish(Clock::now());
  }

  bool is_listening() const { return server_ != nullptr && port_ != 0; }
  int port() const override { return port_; }

  void drain() override {
    const std::lock_guard lock(shared_.mutex);
    shared_.draining = true;
    for (Call* call : shared_.calls) call->drain();
  }

  bool finish(Clock::time_point limit) override {
    bool is_empty;
    {
      std::unique_lock lock(shared_.mutex);
      is_empty = shared_.is_empty.wait_until(lock, limit, [this] { return shared_.calls.empty(); });
    }
    server_->Shutdown(std::chrono::system_clock::now());
    return is_empty;
  }

 private:
  static constexpr int kMostStreams = 256;  // of a connection

  static std::shared_ptr<grpc::ServerCredentials> credentials(const GrpcOptions& options) {
    if (options.certificate.empty()) return grpc::InsecureServerCredentials();
    using namespace grpc::experimental;
    constexpr unsigned kSecondsBetweenLooks = 10;
    TlsServerCredentialsOptions tls(
        std::make_shared<FileWatcherCertificateProvider>(options.key, options.certificate, kSecondsBetweenLooks));
    tls.watch_identity_key_cert_pairs();
    return TlsServerCredentials(tls);
  }

  CallsShared shared_;
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

/// What gRPC has to say of clients' connections is for those who look for faults in it.
void keep_quiet() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
}

std::unique_ptr<GrpcServer> start(GrpcHost& host, const GrpcOptions& options, std::string& error) {
  try {
    keep_quiet();
    auto server = std::make_unique<ModuleServer>(host, options);
    if (server->is_listening()) return server;
    error = "the address or port is taken, or not this machine's";
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  return nullptr;
}

constexpr GrpcModule kModule{kGrpcModuleVersion, start};

}  // namespace
}  // namespace effdet::server::grpc_module

extern "C" __attribute__((visibility("default"))) const effdet::server::GrpcModule* effdet_grpc_module() {
  return &effdet::server::grpc_module::kModule;
}
