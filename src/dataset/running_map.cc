// Copies what is done under a lock, and evaluates the copy.
#include "dataset/running_map.h"

#include <algorithm>
#include <new>
#include <utility>

#include "dataset/evaluation.h"

namespace effdet::dataset {
namespace {

/// An evaluation takes this part of the time at most, as images become more and it takes longer.
constexpr int kShare = 100;

}  // namespace

RunningMap::RunningMap(const eval::GroundTruth& truth, OnRunningMap on_map, std::chrono::milliseconds interval)
    : truth_(truth), on_map_(std::move(on_map)), interval_(interval), thread_([this] { run(); }) {}

RunningMap::~RunningMap() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_changes_.notify_one();
  thread_.join();
}

void RunningMap::add(int64_t image_id, std::span<const eval::CocoResult> results) {
  const std::lock_guard lock(mutex_);
  image_ids_.push_back(image_id);
  results_.insert(results_.end(), results.begin(), results.end());
}

/// Where there is no memory for it, the run goes on without this number.
void RunningMap::run() try {
  using Clock = std::chrono::steady_clock;
  Clock::duration pause = interval_;
  size_t evaluated = 0;
  std::unique_lock lock(mutex_);
  while (!ended_changes_.wait_for(lock, pause, [this] { return ended_; })) {
    if (image_ids_.size() == evaluated) continue;
    const std::vector<int64_t> image_ids = image_ids_;
    const std::vector<eval::CocoResult> results = results_;
    lock.unlock();
    const auto start = Clock::now();
    on_map_(map_of(truth_, results, image_ids), image_ids.size());
    pause = std::max<Clock::duration>(interval_, (Clock::now() - start) * kShare);
    evaluated = image_ids.size();
    lock.lock();
  }
} catch (const std::bad_alloc&) {
}

}  // namespace effdet::dataset
