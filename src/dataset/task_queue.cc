// Threads that run submitted tasks, and hand their exceptions to who waits.
#include "dataset/task_queue.h"

#include <system_error>

#include "base/error.h"

namespace effdet::dataset {

// Delegates, so that the destructor ends the threads that there are where memory runs out in between.
TaskQueue::TaskQueue(int threads) : TaskQueue() {
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    if (threads_.empty()) fail(ErrorCode::kOutOfMemory, "cannot start a thread: {}", error.what());
  }
}

TaskQueue::~TaskQueue() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    tasks_.clear();
  }
  changed_.notify_all();
}

std::future<void> TaskQueue::submit(std::function<void()> task) {
  std::packaged_task<void()> packaged(std::move(task));
  std::future<void> result = packaged.get_future();
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(packaged));
  }
  changed_.notify_one();
  return result;
}

void TaskQueue::work() {
  for (;;) {
    std::packaged_task<void()> task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || !tasks_.empty(); });
      if (stop_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace effdet::dataset
