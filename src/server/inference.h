// The work of a request: from its body to its answer, on a stream's thread.
#pragma once

#include <cstdint>

#include "server/hosted_model.h"
#include "server/message.h"

namespace effdet::server {

/// What a request's work took; StageSeconds::total and queue are for others to know.
struct Work {
  StageSeconds seconds;
  uint64_t inferences = 1;  ///< samples or pictures
};

/// For timeouts that were not read before the request was queued (Urgency). Throws TimeoutError where it is over; 0:
/// never.
void check_timeout(const Request& request, uint64_t timeout_us);

/// Raw tensors, as the model has them. Throws HttpError, and Error as the functions of the library do.
Answer infer_tensors(HostedModel& model, Stream& stream, const std::shared_ptr<Request>& request, Work& work);
/// The same for pictures as tensors of BYTES.
Answer infer_pictures(HostedModel& model, Stream& stream, const std::shared_ptr<Request>& request, uint64_t most_pixels,
                      Work& work);
/// The body is a picture, or several as multipart/form-data; the answer is JSON, a list for the latter, or the one
/// picture with what was found drawn on it.
Answer detect_picture(HostedModel& model, Stream& stream, const std::shared_ptr<Request>& request, uint64_t most_pixels,
                      Work& work);

}  // namespace effdet::server
