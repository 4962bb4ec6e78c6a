// A team of threads that share loops. What a loop computes must not depend on which thread runs an index, so results
// have the same bits at any thread count.
#pragma once

#include <cstdint>
#include <memory>

#include "base/function_ref.h"

namespace effdet::inline base {

/// Cores that this process may use: EFFDET_NUM_THREADS where set (1..1024), else the CPU affinity mask.
/// Throws Error(kUsage) where the variable is not such a number.
int default_thread_count();

/// Threads that wait for loops. One thread at a time may call parallel_for; the caller takes part in the work.
class ThreadPool {
 public:
  /// threads: at least 1; the caller counts as one. Where the system refuses a thread the team is smaller.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;
  /// Calls task(index, thread) for every index in [0, count), each once, thread in [0, size()). Returns when all are
  /// done; the first exception that a task throws is rethrown here.
  void parallel_for(int64_t count, FunctionRef<void(int64_t index, int thread)> task);

 private:
  ThreadPool();  ///< the caller alone

  struct Team;
  std::unique_ptr<Team> team_;
};

}  // namespace effdet::inline base
