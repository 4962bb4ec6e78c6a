// A queue of bounded length and bytes, in order of priority, and the threads that work it off.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace effdet::server {

/// Work that waits for a stream.
class Job {
 public:
  virtual ~Job() = default;
  /// Called once, by the stream's thread.
  virtual void run(size_t stream) = 0;
  /// Called where run() or run_with() threw: memory ran out. What it throws ends the process.
  virtual void fail() = 0;
  /// Whether run_with() may take it along.
  virtual bool joins_batches() const { return false; }
  /// Instead of run() of this job and the others, all of which join batches.
  virtual void run_with(std::span<const std::shared_ptr<Job>>, size_t) {}
  /// Called instead of run(), by the thread that submits: a job of a better level has taken its place. Throws nothing.
  virtual void displace() {}
};

/// Where a job stands in the queue.
struct JobPlace {
  uint64_t level = 1;  ///< lower ones go first; within a level the first that came
  uint64_t bytes = 0;  ///< that wait with it
};

/// Each stream has a thread, which runs one job at a time. Any thread may submit and cancel.
class WorkQueue {
 public:
  /// Of the jobs that wait, at most.
  struct Limits {
    size_t jobs = 0;
    uint64_t bytes = ~uint64_t{0};
  };

  /// Jobs that run together, where they join batches.
  struct Batching {
    size_t most = 1;                 ///< of a batch
    std::chrono::microseconds wait;  ///< from a job's arrival, at most, for others to come
  };

  WorkQueue(size_t streams, Limits limits, Batching batching = {.most = 1, .wait = {}});
  ~WorkQueue() { finish(); }
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// False where the queue is full, or ends. In a full queue a job takes the places of the last ones of worse levels.
  bool submit(std::shared_ptr<Job> job, JobPlace place = {});
  /// Takes a job out that no stream has begun. False: it is running or done.
  bool cancel(const Job& job);
  size_t waiting() const;
  uint64_t waiting_bytes() const;
  /// Whether finish() was called.
  bool closed() const;
  /// Runs what was accepted, and ends the threads; none of them may call it.
  void finish();

 private:
  struct Entry {
    std::shared_ptr<Job> job;
    JobPlace place;
    std::chrono::steady_clock::time_point arrival;
  };

  /// Tells its jobs when it goes, which must be when the lock is gone.
  struct Displaced {
    ~Displaced() {
      for (const Entry& entry : entries) entry.job->displace();
    }
    std::vector<Entry> entries;
  };

  /// others: empty, with room for those of a batch.
  void work(size_t stream, std::vector<std::shared_ptr<Job>> others);
  bool make_room(JobPlace place, Displaced& displaced);
  Entry take(std::deque<Entry>::iterator entry);
  void take_others(std::vector<std::shared_ptr<Job>>& others, std::unique_lock<std::mutex>& lock,
                   std::chrono::steady_clock::time_point until);

  const Limits limits_;
  const Batching batching_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable joined_;  // wakes streams that wait for a batch
  size_t gathering_ = 0;            // such streams
  std::deque<Entry> jobs_;          // by level
  uint64_t bytes_ = 0;              // of jobs_
  size_t free_;                     // streams that wait
  bool closed_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace effdet::server
