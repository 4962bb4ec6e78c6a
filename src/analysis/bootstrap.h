// The bootstrap of two evaluations: the same resamples of the images for both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/matched_events.h"
#include "base/thread_pool.h"
#include "eval/coco_params.h"
#include "eval/work_progress.h"

namespace effdet::analysis {

struct BootstrapOptions {
  size_t resamples = 1000;
  uint64_t seed = 0;
};

/// A number of all categories: the mean over those that have objects in a resample.
struct MeanNumber {
  size_t place;                          ///< of the categories' number, in NumberPlaces
  std::vector<uint8_t> categories = {};  ///< 1 for each that takes part; empty: all
};

/// Called in parallel, once for each category and number (of NumberPlaces): what the first file has more than the
/// second, in the resamples where it is defined; in no order that matters.
using SeeDifferences = std::function<void(size_t category, size_t number, std::vector<double>& differences)>;

/// Evaluates both files on resamples of the images, the same for both, as COCOeval would evaluate a data set where
/// images are there several times, the copies beside each other. Returns of each file [resamples, means], NaN where no
/// category has objects. The same bits at any number of threads. Takes 128 MiB for the categories' differences.
/// Preconditions: params are settled, and their recall thresholds rise; both files have the same objects.
std::array<std::vector<double>, 2> bootstrap(const std::array<const MatchedEvents*, 2>& files,
                                             const eval::CocoParams& params, std::span<const MeanNumber> means,
                                             const BootstrapOptions& options, ThreadPool& pool,
                                             eval::WorkProgress* progress, const SeeDifferences& see);

}  // namespace effdet::analysis
