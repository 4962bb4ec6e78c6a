// Adds requests up, by outcome and by time.
#include "server/statistics.h"

#include <chrono>

namespace effdet::server {

void Histogram::add(double seconds) {
  for (size_t i = 0; i < kBounds.size(); ++i) counts_[i] += seconds <= kBounds[i];
  ++all_;
  sum_ += seconds;
}

void StatisticsBoard::add_success(const StageSeconds& seconds, uint64_t inferences, uint64_t executions) {
  using std::chrono::milliseconds;
  const std::lock_guard lock(mutex_);
  ++statistics_.success;
  statistics_.inferences += inferences;
  statistics_.executions += executions;
  StageSeconds& sums = statistics_.seconds;
  sums.total += seconds.total;
  sums.queue += seconds.queue;
  sums.input += seconds.input;
  sums.infer += seconds.infer;
  sums.output += seconds.output;
  statistics_.total.add(seconds.total);
  statistics_.queue.add(seconds.queue);
  statistics_.infer.add(seconds.infer);
  statistics_.last_milliseconds =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void StatisticsBoard::add_failure(Failure reason, double seconds) {
  const std::lock_guard lock(mutex_);
  ++statistics_.failures[static_cast<size_t>(reason)];
  statistics_.failed_seconds += seconds;
}

Statistics StatisticsBoard::now() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace effdet::server
