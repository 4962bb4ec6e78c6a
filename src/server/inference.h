// The work of a request: from its body to its answer, on a stream's thread.
#pragma once

#include <cstdint>
#include <exception>
#include <span>
#include <vector>

#include "server/hosted_model.h"
#include "server/infer_request.h"
#include "server/message.h"

namespace effdet::server {

/// What a request's work took; StageSeconds::total and queue are for others to know.
struct Work {
  StageSeconds seconds;
  uint64_t inferences = 1;  ///< samples or pictures
  uint64_t executions = 1;  ///< 0: another request's run took it along
};

/// For timeouts of messages that were not read before the request was queued (Urgency). Throws TimeoutError where it is
/// over; 0: never. The query's counts instead, where it has one.
void check_timeout(const Request& request, std::optional<uint64_t> timeout_us);

/// A request for raw tensors, as the model has them, that was read and fits a plan.
struct TensorCall {
  InferRequest infer;
  size_t plan = 0;
  std::vector<std::span<const std::byte>> inputs;  ///< of the request, or of infer
  Work work;
  Answer answer;             ///< after run_tensors()
  std::exception_ptr error;  ///< instead of an answer
};

/// The request must outlive the call. Throws HttpError, and Error as the functions of the library do.
TensorCall read_tensors(HostedModel& model, Request& request);
/// Runs the calls, those of one plan together where the model has a plan for so many of them. Throws nothing.
void run_tensors(HostedModel& model, Stream& stream, std::span<TensorCall> calls);
/// The same for pictures as tensors of BYTES.
Answer infer_pictures(HostedModel& model, Stream& stream, const std::shared_ptr<Request>& request, uint64_t most_pixels,
                      Work& work);
/// The body is a picture, or several as multipart/form-data; the answer is JSON, a list for the latter, or the one
/// picture with what was found drawn on it.
Answer detect_picture(HostedModel& model, Stream& stream, const std::shared_ptr<Request>& request, uint64_t most_pixels,
                      Work& work);

}  // namespace effdet::server
