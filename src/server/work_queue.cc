// The threads of a queue.
#include "server/work_queue.h"

#include <algorithm>
#include <utility>

namespace effdet::server {

WorkQueue::WorkQueue(size_t streams, size_t most) : most_(most), free_(streams) {
  for (size_t i = 0; i < streams; ++i) threads_.emplace_back([this, i] { work(i); });
}

void WorkQueue::finish() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_all();
  threads_.clear();
}

bool WorkQueue::submit(std::shared_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    // Jobs for which a stream is free do not wait.
    if (closed_ || jobs_.size() >= most_ + free_) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

bool WorkQueue::cancel(const Job& job) {
  std::shared_ptr<Job> taken;  // which goes when the lock is gone
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(jobs_, &job, &std::shared_ptr<Job>::get);
  if (found == jobs_.end()) return false;
  taken = std::move(*found);
  jobs_.erase(found);
  return true;
}

size_t WorkQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

bool WorkQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void WorkQueue::work(size_t stream) {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    std::shared_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    --free_;
    lock.unlock();
    job->run(stream);
    job.reset();
    lock.lock();
    ++free_;
  }
}

}  // namespace effdet::server
