// Objects and detections by category and image, so that only pairs that hold something are looked at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/coco_params.h"
#include "eval/coco_results.h"

namespace effdet::eval {

/// A category's objects and detections in one image: places in CocoGroups, up to those where the next pair begins.
struct CocoPair {
  uint32_t objects = 0, detections = 0;
};

/// Places of annotations and results in their files, by category, then image, then order in the file. Without
/// categories all is one category, and those of an image lie by their own category first, as pycocotools has them.
struct CocoGroups {
  std::vector<uint32_t> objects, detections;
  /// The pairs that hold anything, by category, then image; one more at the end.
  std::vector<CocoPair> pairs;
  /// Of each category its first pair; one more at the end.
  std::vector<uint32_t> categories;

  size_t num_categories() const { return categories.size() - 1; }
  size_t num_pairs() const { return pairs.size() - 1; }
};

/// Groups what the parameters choose; everything else is passed over. Takes 4 bytes a record and 8 a pair, and 24 more
/// a record while it runs. Throws Error(kUnsupported) above 2^32 - 2 annotations or results.
CocoGroups group_by_category(const CocoParams& params, const GroundTruth& dataset, std::span<const CocoResult> results);

}  // namespace effdet::eval
