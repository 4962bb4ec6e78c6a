// Images that cannot be used, without an end to the run.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "effdet/image_failure.h"

namespace effdet::dataset {

/// Collects them from several threads.
class FailureLog {
 public:
  /// For runs that are a part of another, which alone knows whether any image could be used.
  static constexpr size_t kPart = SIZE_MAX;

  /// total: images. Where there is but one, its failure is the run's error, and not told besides. strict: any failure
  /// is.
  FailureLog(const OnFailure& on_failure, size_t total, bool strict = false)
      : on_failure_(on_failure), total_(total), strict_(strict) {}

  /// Runs a task on one image. False where that failed for a reason that lies_in_the_image(), which was told and passed
  /// to failed(const ImageFailure&); throws on.
  template <typename Task, typename Failed>
  bool attempt(Task task, Failed failed) {
    try {
      task();
      return true;
    } catch (const Error& error) {
      if (strict_ || !lies_in_the_image(error.code())) throw;
      add({error.code(), error.what()});
      failed(ImageFailure{error.code(), error.what()});
      return false;
    }
  }
  template <typename Task>
  bool attempt(Task task) {
    return attempt(task, [](const ImageFailure&) {});
  }

  void add(const ImageFailure& failure) {
    const std::lock_guard lock(mutex_);
    failures_.push_back(failure);
    log(LogLevel::kWarning, "{}", failure.message);
    if (on_failure_ && total_ > 1) on_failure_(failure);
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
  bool strict_;
  std::vector<ImageFailure> failures_;
  std::mutex mutex_;
};

}  // namespace effdet::dataset
