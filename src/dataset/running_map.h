// The mAP of the images that are done, while others still run.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "effdet/dataset.h"
#include "eval/coco_results.h"
#include "eval/ground_truth.h"

namespace effdet::dataset {

/// Evaluates now and then on a thread of its own, which takes about a hundredth of one core's time.
class RunningMap {
 public:
  /// truth outlives it. on_map is called from that thread, first after `interval`, if there are images by then.
  RunningMap(const eval::GroundTruth& truth, OnRunningMap on_map,
             std::chrono::milliseconds interval = std::chrono::seconds(2));
  /// Waits for an evaluation that runs.
  ~RunningMap();
  RunningMap(const RunningMap&) = delete;
  RunningMap& operator=(const RunningMap&) = delete;

  /// Any thread; each image once, with all of its results.
  void add(int64_t image_id, std::span<const eval::CocoResult> results);

 private:
  void run();

  const eval::GroundTruth& truth_;
  OnRunningMap on_map_;
  std::chrono::milliseconds interval_;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable ended_changes_;
  bool ended_ = false;
  std::vector<int64_t> image_ids_;
  std::vector<eval::CocoResult> results_;
  std::thread thread_;  ///< the last member, since it uses the others
};

}  // namespace effdet::dataset
