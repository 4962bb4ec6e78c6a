// Counts and times of the requests to a model.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

namespace effdet::server {

/// Seconds of a request's stages.
struct StageSeconds {
  double total = 0;                         ///< from its last byte until the answer is made
  double queue = 0;                         ///< until a stream took it
  double input = 0, infer = 0, output = 0;  ///< reading and decoding; the network; from its outputs to the answer
};

enum class Failure { kRejected, kCanceled, kTimeout, kOther };
constexpr size_t kFailures = 4;

/// How many values lie at or below each bound, as Prometheus counts them.
class Histogram {
 public:
  static constexpr std::array<double, 14> kBounds = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30};

  void add(double seconds);
  /// Of values at or below kBounds[i].
  uint64_t count(size_t i) const { return counts_[i]; }
  uint64_t count() const { return all_; }
  double sum() const { return sum_; }

 private:
  std::array<uint64_t, kBounds.size()> counts_{};
  uint64_t all_ = 0;
  double sum_ = 0;
};

struct Statistics {
  uint64_t success = 0, inferences = 0;  ///< requests that got their answer, and samples or pictures in them
  uint64_t executions = 0;               ///< requests and batches of them that streams have run
  std::array<uint64_t, kFailures> failures{};
  StageSeconds seconds;  ///< sums, of successes
  double failed_seconds = 0;
  Histogram total, queue, infer;
  int64_t last_milliseconds = 0;  ///< since 1970, of the last success
};

/// Any thread may add and look.
class StatisticsBoard {
 public:
  /// executions: runs of the network that it began; 0 for those that another request's run took along.
  void add_success(const StageSeconds& seconds, uint64_t inferences, uint64_t executions);
  void add_failure(Failure reason, double seconds);
  Statistics now() const;

 private:
  mutable std::mutex mutex_;
  Statistics statistics_;
};

}  // namespace effdet::server
