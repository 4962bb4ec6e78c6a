// A queue between two threads of a pipeline.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace effdet::cli {

/// One thread puts, another takes; each waits for the other.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t most) : most_(most) {}

  /// Waits for room. False once the queue was closed: nobody takes any more.
  bool put(T item) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return items_.size() < most_ || closed_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  /// Without waiting: where there is no room, the oldest item goes. Returns how many went.
  size_t put_newest(T item) {
    const std::lock_guard lock(mutex_);
    size_t dropped = 0;
    for (; items_.size() >= most_; ++dropped) items_.pop_front();
    items_.push_back(std::move(item));
    changed_.notify_all();
    return dropped;
  }

  /// Waits for an item. Nothing once the queue was closed and is empty.
  std::optional<T> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !items_.empty() || closed_; });
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  size_t most_;
  std::deque<T> items_;
  bool closed_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace effdet::cli
