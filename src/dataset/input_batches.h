// Inputs of the network for a few images, each in a batch of the plan that it takes.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "detection/image_detector.h"

namespace effdet::dataset {

/// Several threads may take places at the same time; the rest is for one thread when they are done.
class InputBatches {
 public:
  struct Place {
    std::span<std::byte> batch;
    size_t sample;  ///< number of the image in the batch
  };

  /// A place of its own for `image`, whatever that is a number of.
  Place take(const detection::ImageDetector& detector, size_t plan, size_t image) {
    const std::lock_guard lock(mutex_);
    OfPlan& own = plans_[plan];
    const size_t sample = own.images.size() % detector.batch(plan);
    own.images.push_back(image);
    const size_t batch = (own.images.size() - 1) / detector.batch(plan);
    if (batch == own.batches.size()) own.batches.emplace_back(detector.input_bytes(plan));
    return {own.batches[batch], sample};
  }

  /// Calls run(plan, batch, images) for each batch in which there are images, in order of their places.
  template <typename Run>
  void for_each(const detection::ImageDetector& detector, Run run) {
    for (auto& [plan, own] : plans_)
      for (size_t first = 0, i = 0; first < own.images.size(); first += detector.batch(plan), ++i)
        run(plan, std::span<const std::byte>(own.batches[i]),
            std::span<const size_t>(own.images)
                .subspan(first, std::min(detector.batch(plan), own.images.size() - first)));
  }

  /// All places are free; the memory stays.
  void clear() {
    for (auto& [plan, own] : plans_) own.images.clear();
  }

 private:
  struct OfPlan {
    std::vector<size_t> images;
    std::deque<std::vector<std::byte>> batches;  // which stay where they are
  };
  std::mutex mutex_;
  std::map<size_t, OfPlan> plans_;
};

}  // namespace effdet::dataset
