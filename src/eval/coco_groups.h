// Objects and detections by category and image, so that only pairs that hold something are looked at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/coco_params.h"
#include "eval/coco_results.h"

namespace effdet::eval {

/// A category's objects and detections in one image: where they begin in CocoGroups; they end where the next pair
/// begins.
struct CocoPair {
  uint32_t objects = 0, detections = 0;
  uint32_t category = 0, image = 0;  ///< places in the parameters' lists
  /// Of its first detection among all by category, then image: the order in which a category is accumulated.
  uint32_t place = 0;
};

/// Indices of annotations and results, by image, then category, then order in the file: results mostly lie so in
/// memory. Without categories all is one category, and an image's items lie by their own category, as pycocotools has
/// them.
struct CocoGroups {
  std::vector<uint32_t> objects, detections;
  /// The pairs that hold anything; one more at the end.
  std::vector<CocoPair> pairs;
  /// Of each category its first place; one more at the end.
  std::vector<uint32_t> category_places;

  size_t num_categories() const { return category_places.size() - 1; }
  size_t num_pairs() const { return pairs.size() - 1; }
};

/// Groups what the parameters choose; everything else is passed over. Takes 4 bytes a record and 20 a pair, and 24 more
/// a record while it runs. Throws Error(kUnsupported) above 2^32 - 2 annotations or results.
CocoGroups group_pairs(const CocoParams& params, const GroundTruth& dataset, std::span<const CocoResult> results);

}  // namespace effdet::eval
