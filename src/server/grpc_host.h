// gRPC beside HTTP: loads the module, and is the server that it calls.
#pragma once

#include <memory>

#include "effdet/server.h"
#include "server/grpc_module.h"
#include "server/service.h"

namespace effdet::server {

/// The requests of gRPC's clients, which go the way of HTTP's.
std::unique_ptr<GrpcHost> make_grpc_host(Service& service, const ServerOptions& options);

/// Throws Error(kUnsupported) that says what to install, and Error(kIo) where it cannot listen. The host must outlive
/// it.
std::unique_ptr<GrpcServer> start_grpc(GrpcHost& host, const ServerOptions& options);

}  // namespace effdet::server
