// How far the stages of a long piece of work are, told while threads do it.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace effdet::eval {

class WorkProgress {
 public:
  /// Calls of it do not overlap, and come from any of the threads that work.
  using Tell = std::function<void(std::string_view stage, size_t done, size_t total)>;

  explicit WorkProgress(Tell tell) : tell_(std::move(tell)) {}

  /// A stage that takes `steps` in all, which is told as `total` in the units that people count it in. Not while
  /// threads add.
  void begin(std::string stage, size_t steps, size_t total) {
    stage_ = std::move(stage);
    steps_ = steps;
    total_ = total;
    done_ = 0;
  }

  /// Steps that were done, by any thread.
  void add(size_t steps) {
    const size_t done = done_ += steps;
    if (!tell_ || steps_ == 0) return;
    const std::unique_lock lock(mutex_, std::try_to_lock);  // who tells now need not be waited for
    if (!lock.owns_lock()) return;
    const double share = static_cast<double>(done < steps_ ? done : steps_) / static_cast<double>(steps_);
    tell_(stage_, static_cast<size_t>(share * static_cast<double>(total_)), total_);
  }

 private:
  Tell tell_;
  std::string stage_;
  size_t steps_ = 0, total_ = 0;
  std::atomic<size_t> done_ = 0;
  std::mutex mutex_;
};

}  // namespace effdet::eval
