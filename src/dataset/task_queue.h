// Work in the background, in order of submission.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace effdet::dataset {

/// Threads that take tasks from one queue.
class TaskQueue {
 public:
  /// Where the system refuses a thread there are fewer; throws Error(kOutOfMemory) where it gives none.
  explicit TaskQueue(int threads);
  /// Drops the tasks that have not begun and waits for those that have.
  ~TaskQueue();
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  /// get() of the result waits for the task and rethrows what it threw.
  std::future<void> submit(std::function<void()> task);

 private:
  TaskQueue() = default;
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> tasks_;
  bool stop_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace effdet::dataset
