// Two evaluations of the same data set, compared in the public form.
#pragma once

#include <span>

#include "analysis/matched_events.h"
#include "base/thread_pool.h"
#include "effdet/evaluation_comparison.h"
#include "eval/coco_eval.h"
#include "eval/coco_results.h"
#include "eval/ground_truth.h"
#include "eval/work_progress.h"

namespace effdet::analysis {

/// Results with their evaluation, whose matches were seen by events.
struct ComparedFile {
  std::span<const eval::CocoResult> results;
  const eval::CocoEvaluation& evaluation;
  const MatchedEvents& events;
};

/// Throws Error(kUsage) for options out of range, and for parameters that the bootstrap does not have: recall
/// thresholds that do not rise.
void check_options(const ComparisonOptions& options, const eval::CocoParams& params);

/// Preconditions: both evaluations have the same parameters, which check_options() has passed, and all their precision.
/// Takes about 25 bytes a result and the memory of bootstrap().
EvaluationComparison compare(const eval::GroundTruth& dataset, const ComparedFile& file, const ComparedFile& other,
                             const ComparisonOptions& options, ThreadPool& pool,
                             eval::WorkProgress* progress = nullptr);

}  // namespace effdet::analysis
