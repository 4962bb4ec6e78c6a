// Requests and answers, as the code behind the connections sees them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "server/body.h"
#include "server/infer_message.h"
#include "server/memory_budget.h"
#include "server/target.h"

namespace effdet::server {

using Clock = std::chrono::steady_clock;

class SharedRegions;

struct Request {
  Request(std::shared_ptr<MemoryBudget> budget, std::shared_ptr<BodyPool> pool)
      : body(std::move(pool)), reservation(std::move(budget)) {}

  std::string method;
  Target target;
  std::string content_type, content_encoding, accept, accept_encoding, authorization;
  std::optional<uint64_t> header_length;  ///< Inference-Header-Content-Length
  Body body;
  std::optional<InferMessage> message;           ///< instead of a body
  std::shared_ptr<const SharedRegions> regions;  ///< nullptr: shared memory is off
  Reservation reservation;                       ///< of the body and, once it is computed, the answer
  Clock::time_point arrival;                     ///< its last byte
};

struct Answer {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> fields;  ///< more header fields
  std::string text;                                         ///< the body, or its beginning
  std::vector<std::span<const std::byte>> parts;            ///< what follows text
  std::shared_ptr<const void> owner;                        ///< of the parts' memory
  std::vector<TensorLabel> tensors;                         ///< of the parts, where the request was a message
  std::string error;                                        ///< the line that text has as JSON; empty: none
  std::shared_ptr<Request> request;                         ///< whose reservation pays for it

  uint64_t body_bytes() const {
    uint64_t bytes = text.size();
    for (const auto& part : parts) bytes += part.size();
    return bytes;
  }
};

/// Work that was accepted; who dropped it calls nothing back.
class PendingAnswer {
 public:
  virtual ~PendingAnswer() = default;
  /// The client has left: work that has not begun is not done. Either way the answer does not come.
  virtual void cancel() = 0;
  /// When the client's timeout is over; nothing: never.
  virtual std::optional<Clock::time_point> deadline() const { return std::nullopt; }
  /// The timeout is over: the answer to work that has not begun, whose other answer does not come. Nothing where it
  /// has.
  virtual std::optional<Answer> expire() { return std::nullopt; }
};

constexpr const char* kOutOfMemory = "the server's memory is used up: try again later";

/// {"error": message}, of which 1024 bytes at most
Answer error_answer(int status, const std::string& message);
inline Answer out_of_memory_answer() { return error_answer(503, kOutOfMemory); }

}  // namespace effdet::server
