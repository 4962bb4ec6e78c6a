// LVIS' rules for boxes, equal to those of lvis-api 0.5.3 in every bit.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/coco_eval.h"
#include "eval/coco_results.h"
#include "eval/coco_summary.h"
#include "eval/ground_truth.h"

namespace effdet::eval {

/// Detections of an image, in all categories together, that count.
inline constexpr size_t kLvisDetections = 300;

/// Keeps the results that LVISEval evaluates, in their order: of each image the best `limit` in all categories together
/// (of equal scores the first), and of these the ones whose category the image was searched for: it has annotations of
/// it, or lists it among those that are absent. Results without an area are dropped, as in lvis-api. evaluate_coco()
/// with the data set and one number of detections, `limit`, then gives LVISEval's arrays. Returns what is to be known
/// of results that were dropped, a line each. Precondition: the data set is one of Rules::kLvis, and lists the images
/// of all results.
std::vector<std::string> keep_lvis_results(const GroundTruth& dataset, size_t limit, std::vector<CocoResult>& results);

/// LVISEval's numbers, under its names and in its order: AP, AP50, AP75, APs, APm, APl, APr, APc, APf, AR@300, ARs@300,
/// ... Sizes that are not LVIS' have their whole label, as in AP_huge.
std::vector<CocoMetric> summarize_lvis(const GroundTruth& dataset, const CocoEvaluation& evaluation);

}  // namespace effdet::eval
