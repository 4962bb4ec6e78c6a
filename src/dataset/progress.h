// Counting items that several threads finish.
#pragma once

#include <mutex>

#include "effdet/dataset.h"

namespace effdet::dataset {

/// Turns finished items into calls of a Progress, one at a time.
class ProgressCounter {
 public:
  ProgressCounter(const Progress& progress, size_t total) : progress_(progress), total_(total) {}

  void add_one() {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    progress_(++done_, total_);
  }

 private:
  const Progress& progress_;
  size_t total_, done_ = 0;
  std::mutex mutex_;
};

}  // namespace effdet::dataset
