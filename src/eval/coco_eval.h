// COCO's evaluation of boxes, equal to that of pycocotools in every bit.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/thread_pool.h"
#include "eval/coco_accumulate.h"
#include "eval/coco_dataset.h"
#include "eval/coco_params.h"
#include "eval/coco_results.h"
#include "eval/work_progress.h"

namespace effdet::eval {

struct CocoEvaluation {
  CocoParams params;  ///< settled: the order of the arrays
  CocoArrays arrays;
  /// Detections of the images and categories that were evaluated, and how many of each category (one number without
  /// categories) there are of these and of objects in the first area range.
  size_t num_detections = 0;
  std::vector<size_t> category_detections, category_objects;
};

/// Which arrays are made. The summary needs precision at the largest number of detections alone.
enum class CocoOutput { kSummary, kAllArrays };

/// What became of a category's detections in one area range, at a chunk of thresholds.
struct CategoryMatches {
  size_t category, area;
  size_t first_threshold, num_thresholds;  ///< those that the outcomes' bits are of
  RankedDetections detections;             ///< with scores
  /// Of each place, and of each object that is to be found, its image: places in the parameters' list.
  std::span<const uint32_t> images, objects;
};
/// Called by the threads of the pool, once for each category, area range and chunk of thresholds.
using SeeMatches = std::function<void(const CategoryMatches&)>;

/// Evaluates boxes as pycocotools 2.0.11's COCOeval with iouType "bbox" and these params: the same arrays, bit for bit,
/// at any number of threads (without a pool: one). Results on other images and of other categories are passed over; no
/// results at all give zeros. Takes 20 bytes a result, 4 more for each area range, and the arrays.
/// Tells progress, where given, of the images that are done, and see, where given, of the matches, for which it keeps
/// 12 more bytes a result. Throws as CocoParams::settle(), CocoArrays and group_pairs().
CocoEvaluation evaluate_coco(const GroundTruth& dataset, std::span<const CocoResult> results, CocoParams params,
                             CocoOutput output = CocoOutput::kSummary, ThreadPool* pool = nullptr,
                             WorkProgress* progress = nullptr, const SeeMatches& see = {});

}  // namespace effdet::eval
