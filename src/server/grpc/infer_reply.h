// ModelInferResponse, around tensors that stay where they are.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <string>

#include "server/message.h"

namespace effdet::server::grpc_module {

/// What a response repeats of its request.
struct InferNames {
  std::string model, id;
};

/// The answer's message, or, in a stream, one that holds it. The buffer keeps the answer.
grpc::ByteBuffer infer_reply(const InferNames& names, std::shared_ptr<const Answer> answer, bool in_stream);
/// A stream's message about a request that failed.
grpc::ByteBuffer error_reply(const InferNames& names, const std::string& error);

}  // namespace effdet::server::grpc_module
