// inference.proto, as protoc describes it.
#pragma once

#include <string_view>

namespace effdet::server::grpc_module {

extern const std::string_view kDescriptor;

}  // namespace effdet::server::grpc_module
