// What TIDE says of each detection and of the objects that are missed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "eval/tide.h"

namespace effdet::eval {

/// A detection that took part: a true positive, or an error with what would mend it.
struct TidePoint {
  static constexpr uint32_t kGone = std::numeric_limits<uint32_t>::max();
  static constexpr int8_t kTrue = -1;

  double score;
  uint32_t category;         ///< its place in the parameters
  uint32_t mended_category;  ///< kGone: mended by leaving it out
  int8_t kind;               ///< kTrue, or a TideKind
  bool is_ignored;           ///< lies in a crowd: is no false positive, but may be mended to a true one
};

/// What is counted over all images.
struct TideCounts {
  explicit TideCounts(size_t num_categories)
      : num_objects(num_categories), unfound(num_categories), missed(num_categories) {}

  void add(const TideCounts& other) {
    for (const auto member : {&TideCounts::num_objects, &TideCounts::unfound, &TideCounts::missed})
      for (size_t k = 0; k < num_objects.size(); ++k) (this->*member)[k] += (other.*member)[k];
    for (size_t kind = 0; kind < kNumTideKinds; ++kind) kinds[kind] += other.kinds[kind];
  }

  std::vector<size_t> num_objects, unfound, missed;  ///< of each category
  std::array<size_t, kNumTideKinds> kinds{};
};

struct TideMatches {
  std::vector<TidePoint> points;  ///< image by image as the data set has them, in each by falling score
  TideCounts counts;
};

/// Matches the 100 best detections of each image with its objects, at IoU 0.5.
TideMatches match_tide(const GroundTruth& dataset, std::span<const CocoResult> results, const CocoParams& params,
                       ThreadPool& pool);

}  // namespace effdet::eval
