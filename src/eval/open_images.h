// The metric of the Open Images challenge for boxes, as TensorFlow's Object Detection API evaluates it
// (OpenImagesDetectionChallengeEvaluator, groups of weight 1).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "eval/coco_results.h"
#include "eval/ground_truth.h"

namespace effdet::eval {

/// Of a category those above it in the hierarchy.
using Ancestors = std::map<int64_t, std::vector<int64_t>>;

struct OpenImagesCategory {
  int64_t id;
  size_t objects = 0;     ///< boxes that are to be found, groups included
  size_t detections = 0;  ///< that were evaluated
  double ap = -1;         ///< area under the whole precision-recall curve; -1 without objects
};

struct OpenImagesEvaluation {
  std::vector<OpenImagesCategory> categories;  ///< in rising order of ids
  double mean_ap = -1;                         ///< over the categories with objects; -1 where there is none
  size_t num_detections = 0;
};

/// Evaluates results on all images, at IoU 0.5. Crowds are groups.
///
/// - Boxes stand for their category and for all above it in the hierarchy.
/// - In each image only the categories count that it has boxes of, or was searched for (ImageRecord::absent_categories,
/// found ones
///   among them).
/// - From the highest score down, a detection is true where the box with the largest IoU, of those that are no groups,
/// is
///   at 0.5 or above and still free. One that is not true, and has half of its area or more in a group, finds the
///   group. All that find a group are one true detection, with the best of their scores.
///
/// Detections of equal scores are taken in the order of images and of the file; the original leaves it to numpy's sort.
/// The same bits at any number of threads (without a pool: one). Throws as group_pairs().
OpenImagesEvaluation evaluate_open_images(const GroundTruth& dataset, const Ancestors& ancestors,
                                          std::span<const CocoResult> results, ThreadPool* pool = nullptr);

}  // namespace effdet::eval
