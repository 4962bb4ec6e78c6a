// The threads of a queue.
#include "server/work_queue.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace effdet::server {

WorkQueue::WorkQueue(size_t streams, Limits limits) : limits_(limits), free_(streams) {
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

/// Takes an entry out.
WorkQueue::Entry WorkQueue::take(std::deque<Entry>::iterator entry) {
  Entry taken = std::move(*entry);
  jobs_.erase(entry);
  bytes_ -= taken.place.bytes;
  return taken;
}

/// False, and nothing changed, where jobs of this level and better ones fill the queue.
bool WorkQueue::make_room(JobPlace place, std::vector<Entry>& displaced) {
  size_t jobs = jobs_.size();
  uint64_t bytes = bytes_;
  // A job for which a stream is free does not wait.
  const auto fits = [&] {
    return jobs < free_ ||
           (jobs < limits_.jobs + free_ && bytes <= limits_.bytes && place.bytes <= limits_.bytes - bytes);
  };
  while (!fits()) {
    if (jobs == 0 || jobs_[jobs - 1].place.level <= place.level) return false;
    bytes -= jobs_[--jobs].place.bytes;
  }
  while (jobs_.size() > jobs) displaced.push_back(take(jobs_.end() - 1));
  return true;
}

bool WorkQueue::submit(std::shared_ptr<Job> job, JobPlace place) {
  std::vector<Entry> displaced;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || !make_room(place, displaced)) return false;
    const auto before = [](uint64_t level, const Entry& entry) { return level < entry.place.level; };
    jobs_.insert(std::upper_bound(jobs_.begin(), jobs_.end(), place.level, before), {std::move(job), place});
    bytes_ += place.bytes;
  }
  wake_.notify_one();
  for (const Entry& entry : displaced) entry.job->displace();
  return true;
}

bool WorkQueue::cancel(const Job& job) {
  Entry taken;  // which goes when the lock is gone
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(jobs_, [&](const Entry& entry) { return entry.job.get() == &job; });
  if (found == jobs_.end()) return false;
  taken = take(found);
  return true;
}

size_t WorkQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

uint64_t WorkQueue::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

bool WorkQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void WorkQueue::work(size_t stream) {
  ::pthread_setname_np(::pthread_self(), "effdet-stream");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    std::shared_ptr<Job> job = take(jobs_.begin()).job;
    --free_;
    lock.unlock();
    job->run(stream);
    job.reset();
    lock.lock();
    ++free_;
  }
}

}  // namespace effdet::server
