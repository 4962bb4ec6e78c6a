// Images that cannot be used, without an end to the run.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "effdet/image_failure.h"

namespace effdet::dataset {

/// Collects them from several threads.
class FailureLog {
 public:
  /// total: images. Where there is but one, its failure is the run's error, and not told besides.
  FailureLog(const OnFailure& on_failure, size_t total) : on_failure_(on_failure), total_(total) {}

  /// Runs a task on one image. False where that failed for a reason that lies_in_the_image(); throws on.
  template <typename Task>
  bool attempt(Task task) {
    try {
      task();
      return true;
    } catch (const Error& error) {
      if (!lies_in_the_image(error.code())) throw;
      const std::lock_guard lock(mutex_);
      failures_.push_back({error.code(), error.what()});
      if (on_failure_ && total_ > 1) on_failure_(failures_.back());
      return false;
    }
  }

  /// Throws the first failure where all images failed.
  void require_some() const {
    if (!failures_.empty() && failures_.size() == total_)
      throw Error(failures_.front().code, failures_.front().message);
  }

  const std::vector<ImageFailure>& failures() const { return failures_; }

 private:
  const OnFailure& on_failure_;
  size_t total_;
  std::vector<ImageFailure> failures_;
  std::mutex mutex_;
};

}  // namespace effdet::dataset
