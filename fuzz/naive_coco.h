// COCO's evaluation of boxes by the shortest code that follows its definition, as an oracle.
#pragma once

#include <vector>

#include "eval/coco_params.h"
#include "eval/coco_results.h"
#include "eval/ground_truth.h"

namespace effdet::fuzz {

/// Precision as [T, R, K] in the first area range and with the largest number of detections; -1 for categories without
/// an object to find. Precondition: settled parameters, and finite numbers.
std::vector<double> naive_precision(const eval::GroundTruth& dataset, const std::vector<eval::CocoResult>& results,
                                    const eval::CocoParams& params);

}  // namespace effdet::fuzz
