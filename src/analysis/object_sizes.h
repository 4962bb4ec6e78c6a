// COCO's numbers for finer sizes of objects than small, medium and large.
#pragma once

#include <span>
#include <vector>

#include "analysis/matches.h"
#include "base/thread_pool.h"
#include "effdet/evaluation_analysis.h"

namespace effdet::analysis {

/// Evaluates once more, with these sizes for area ranges. sides: rising.
std::vector<SizeBucket> evaluate_sizes(const Matches& matches, std::span<const eval::CocoResult> results,
                                       double score_threshold, std::span<const double> sides, ThreadPool& pool);

}  // namespace effdet::analysis
