// Runs an inference, and turns what goes wrong into an answer.
#include "server/inference_job.h"

#include <new>

#include "effdet/error.h"
#include "server/compression.h"
#include "server/http_error.h"

namespace effdet::server {
namespace {

/// HTTP's status for an error of the library. What a client can mend is its fault; the rest must not be told.
Answer answer_of(const Error& error, bool picture) {
  switch (error.code()) {
    case ErrorCode::kUsage:
    case ErrorCode::kBadInput:
      return error_answer(400, error.what());
    case ErrorCode::kUnsupported:
      return error_answer(picture ? 415 : 400, error.what());
    case ErrorCode::kOutOfMemory:
      return out_of_memory_answer();
    default:
      return error_answer(500, "the server failed on this request");
  }
}

}  // namespace

InferenceJob::InferenceJob(Interface interface, Endpoint endpoint, std::shared_ptr<Request> request,
                           const ServerOptions& options, Urgency urgency, Service::Done done)
    : interface_(std::move(interface)),
      endpoint_(endpoint),
      request_(std::move(request)),
      options_(options),
      urgency_(urgency),
      done_(std::move(done)) {}

double InferenceJob::seconds_since_arrival() const {
  return std::chrono::duration<double>(Clock::now() - request_->arrival).count();
}

bool InferenceJob::begin(Work& work) {
  if (taken_.exchange(true)) return false;
  begun_ = true;
  work.seconds.queue = seconds_since_arrival();
  return true;
}

void InferenceJob::run(size_t stream) {
  if (joins_batches()) return run_with({}, stream);
  Work work;
  if (begin(work)) finish([&] { return detect(interface_.model->stream(stream), work); }, work);
}

void InferenceJob::run_with(std::span<const std::shared_ptr<Job>> others, size_t stream) {
  std::vector<InferenceJob*> jobs = {this};
  for (const auto& job : others) jobs.push_back(static_cast<InferenceJob*>(job.get()));  // no others join batches
  run_batch(jobs, stream);
}

/// Reads the requests for tensors, runs those that are good, and answers all.
void InferenceJob::run_batch(std::span<InferenceJob* const> jobs, size_t stream) {
  std::vector<TensorCall> calls;
  std::vector<InferenceJob*> callers;
  for (InferenceJob* job : jobs) {
    Work work;
    if (!job->begin(work)) continue;
    TensorCall call;
    try {
      call = job->read();
    } catch (...) {
      job->finish([]() -> Answer { throw; }, work);
      continue;
    }
    call.work.seconds.queue = work.seconds.queue;
    calls.push_back(std::move(call));
    callers.push_back(job);
  }
  if (calls.empty()) return;
  HostedModel& model = *jobs.front()->interface_.model;
  run_tensors(model, model.stream(stream), calls);
  for (size_t i = 0; i < calls.size(); ++i) {
    TensorCall& call = calls[i];
    const auto make = [&] {
      if (call.error) std::rethrow_exception(call.error);
      return std::move(call.answer);
    };
    callers[i]->finish(make, call.work);
  }
}

void InferenceJob::finish(FunctionRef<Answer()> make, Work& work) {
  std::optional<Failure> failure;
  Answer answer = guarded(make, failure);
  work.seconds.total = seconds_since_arrival();
  if (failure) {
    interface_.statistics().add_failure(*failure, work.seconds.total);
  } else {
    interface_.statistics().add_success(work.seconds, work.inferences, work.executions);
  }
  // The answer's bytes are counted until they are sent.
  if (!request_->reservation.grow(answer.body_bytes()))
    answer = error_answer(503, "the server's memory for answers is used up: try again later");
  answer.request = std::move(request_);
  std::exchange(done_, nullptr)(std::move(answer));
}

void InferenceJob::fail() {
  if (!begun_ && taken_.exchange(true)) return;
  if (done_ == nullptr) return;  // it was answered before another of its batch threw
  Answer answer = out_of_memory_answer();
  interface_.statistics().add_failure(Failure::kOther, seconds_since_arrival());
  std::exchange(done_, nullptr)(std::move(answer));
}

void InferenceJob::displace() {
  if (taken_.exchange(true)) return;
  interface_.statistics().add_failure(Failure::kRejected, 0);
  std::exchange(done_, nullptr)(error_answer(503, "requests of a better priority fill the queue: try again later"));
}

void InferenceJob::cancel() {
  if (taken_.exchange(true)) return;
  interface_.model->queue().cancel(*this);
  done_ = nullptr;  // what it holds belongs to the caller's thread
  interface_.statistics().add_failure(Failure::kCanceled, 0);
}

std::optional<Answer> InferenceJob::expire() {
  if (taken_.exchange(true)) return std::nullopt;
  interface_.model->queue().cancel(*this);
  done_ = nullptr;
  interface_.statistics().add_failure(Failure::kTimeout, seconds_since_arrival());
  return error_answer(503, TimeoutError().what());
}

void InferenceJob::prepare() {
  if (urgency_.deadline && Clock::now() > *urgency_.deadline) throw TimeoutError();
  decompress_body(*request_, options_.most_body);
}

TensorCall InferenceJob::read() {
  prepare();
  return read_tensors(*interface_.model, *request_);
}

Answer InferenceJob::detect(Stream& stream, Work& work) {
  prepare();
  const auto infer = endpoint_ == Endpoint::kDetect ? detect_picture : infer_pictures;
  return infer(*interface_.model, stream, request_, options_.most_pixels, work);
}

Answer InferenceJob::guarded(FunctionRef<Answer()> make, std::optional<Failure>& failure) const {
  try {
    Answer answer = make();
    compress_answer(answer, request_->accept_encoding);
    return answer;
  } catch (const TimeoutError& error) {
    failure = Failure::kTimeout;
    return error_answer(error.status(), error.what());
  } catch (const HttpError& error) {
    failure = Failure::kOther;
    return error_answer(error.status(), error.what());
  } catch (const Error& error) {
    failure = Failure::kOther;
    return answer_of(error, interface_.pictures);
  } catch (const std::bad_alloc&) {
    failure = Failure::kOther;
    return out_of_memory_answer();
  } catch (const std::exception&) {
    failure = Failure::kOther;
    return error_answer(500, "the server failed on this request");
  }
}

}  // namespace effdet::server
