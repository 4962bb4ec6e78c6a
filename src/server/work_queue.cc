// The threads of a queue.
#include "server/work_queue.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace effdet::server {

WorkQueue::WorkQueue(size_t streams, Limits limits, Batching batching)
    : limits_(limits), batching_(batching), free_(streams) {
  for (size_t i = 0; i < streams; ++i) {
    std::vector<std::shared_ptr<Job>> others;
    others.reserve(batching_.most);
    threads_.emplace_back([this, i, room = std::move(others)]() mutable { work(i, std::move(room)); });
  }
}

void WorkQueue::finish() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_all();
  joined_.notify_all();
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
bool WorkQueue::make_room(JobPlace place, Displaced& displaced) {
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
  displaced.entries.reserve(jobs_.size() - jobs);
  while (jobs_.size() > jobs) displaced.entries.push_back(take(jobs_.end() - 1));
  return true;
}

bool WorkQueue::submit(std::shared_ptr<Job> job, JobPlace place) {
  Displaced displaced;
  bool is_gathered = false;
  {
    const std::lock_guard lock(mutex_);
    is_gathered = gathering_ > 0 && job->joins_batches();
    if (closed_ || !make_room(place, displaced)) return false;
    const auto before = [](uint64_t level, const Entry& entry) { return level < entry.place.level; };
    jobs_.insert(std::upper_bound(jobs_.begin(), jobs_.end(), place.level, before),
                 {std::move(job), place, std::chrono::steady_clock::now()});
    bytes_ += place.bytes;
  }
  is_gathered ? joined_.notify_one() : wake_.notify_one();
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

/// Jobs for a batch: those that wait, and then those that come until that time. There is room for them.
void WorkQueue::take_others(std::vector<std::shared_ptr<Job>>& others, std::unique_lock<std::mutex>& lock,
                            std::chrono::steady_clock::time_point until) {
  const auto joins = [](const Entry& entry) { return entry.job->joins_batches(); };
  while (true) {
    while (others.size() + 1 < batching_.most) {
      const auto next = std::find_if(jobs_.begin(), jobs_.end(), joins);
      if (next == jobs_.end()) break;
      others.push_back(take(next).job);
    }
    if (others.size() + 1 >= batching_.most || closed_ || std::chrono::steady_clock::now() >= until) break;
    ++gathering_;
    joined_.wait_until(lock, until);
    --gathering_;
  }
  if (!jobs_.empty()) wake_.notify_one();  // of what came meanwhile other streams were not told
}

void WorkQueue::work(size_t stream, std::vector<std::shared_ptr<Job>> others) {
  ::pthread_setname_np(::pthread_self(), "effdet-stream");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Entry entry = take(jobs_.begin());
    --free_;
    if (batching_.most > 1 && entry.job->joins_batches()) take_others(others, lock, entry.arrival + batching_.wait);
    lock.unlock();
    try {
      others.empty() ? entry.job->run(stream) : entry.job->run_with(others, stream);
    } catch (const std::exception&) {
      entry.job->fail();
      for (const auto& job : others) job->fail();
    }
    entry.job.reset();
    others.clear();
    lock.lock();
    ++free_;
  }
}

}  // namespace effdet::server
