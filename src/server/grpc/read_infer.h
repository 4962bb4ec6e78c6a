// ModelInferRequest, from its bytes.
#pragma once

#include <memory>

#include "server/message.h"

namespace effdet::server::grpc_module {

/// Reads a message into request.message and request.target, whose query gets the parameters that have a meaning
/// there.
/// Tensors stay where they lie in the message, which the owner keeps; only numbers in contents are unpacked, at the
/// expense of the request's reservation. By hand, since protobuf's own classes take up to fifty times a message's
/// bytes. Throws HttpError.
void read_infer(std::span<const std::byte> message, std::shared_ptr<const void> owner, Request& request);

}  // namespace effdet::server::grpc_module
