// An inference that waits for a stream, or runs.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>

#include "base/function_ref.h"
#include "effdet/server.h"
#include "server/inference.h"
#include "server/metadata.h"
#include "server/route.h"
#include "server/service.h"
#include "server/urgency.h"
#include "server/work_queue.h"

namespace effdet::server {

/// Calls done once: with the answer, or with the reason why there is none; or never, after cancel() and expire(). done
/// throws nothing.
class InferenceJob final : public Job, public PendingAnswer {
 public:
  InferenceJob(Interface interface, Endpoint endpoint, std::shared_ptr<Request> request, const ServerOptions& options,
               Urgency urgency, Service::Done done);

  void run(size_t stream) override;
  /// Those for tensors do.
  bool joins_batches() const override { return endpoint_ == Endpoint::kInfer && !interface_.pictures; }
  void run_with(std::span<const std::shared_ptr<Job>> others, size_t stream) override;
  void fail() override;
  void displace() override;
  void cancel() override;
  std::optional<Clock::time_point> deadline() const override { return urgency_.deadline; }
  std::optional<Answer> expire() override;

 private:
  /// False: somebody else has taken it.
  bool begin(Work& work);
  /// What every request needs before it is read. Throws as its parts.
  void prepare();
  TensorCall read();
  Answer detect(Stream& stream, Work& work);
  Answer guarded(FunctionRef<Answer()> make, std::optional<Failure>& failure) const;
  void finish(FunctionRef<Answer()> make, Work& work);
  static void run_batch(std::span<InferenceJob* const> jobs, size_t stream);
  double seconds_since_arrival() const;

  Interface interface_;
  Endpoint endpoint_;
  std::shared_ptr<Request> request_;
  const ServerOptions& options_;
  const Urgency urgency_;
  Service::Done done_;
  std::atomic<bool> taken_ = false;  // by who runs, displaces, cancels or expires it
  bool begun_ = false;               // by a stream
};

}  // namespace effdet::server
