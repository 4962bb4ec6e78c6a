// A queue of bounded length, and the threads that work it off.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace effdet::server {

/// Work that waits for a stream.
class Job {
 public:
  virtual ~Job() = default;
  /// Called once, by the stream's thread. Throws nothing.
  virtual void run(size_t stream) = 0;
};

/// Each stream has a thread, which runs one job at a time. Any thread may submit and cancel.
class WorkQueue {
 public:
  /// most: jobs that wait, at most.
  WorkQueue(size_t streams, size_t most);
  ~WorkQueue() { finish(); }
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// False where the queue is full, or ends.
  bool submit(std::shared_ptr<Job> job);
  /// Takes a job out that no stream has begun. False: it is running or done.
  bool cancel(const Job& job);
  size_t waiting() const;
  /// Whether finish() was called.
  bool closed() const;
  /// Runs what was accepted, and ends the threads; none of them may call it.
  void finish();

 private:
  void work(size_t stream);

  const size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> jobs_;
  size_t free_;  // streams that wait
  bool closed_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace effdet::server
