// All that explains an evaluation, in the public form.
#pragma once

#include <span>

#include "base/thread_pool.h"
#include "effdet/evaluation_analysis.h"
#include "eval/coco_eval.h"
#include "eval/coco_results.h"
#include "eval/ground_truth.h"

namespace effdet::analysis {

/// Throws Error(kUsage) for options out of range.
void check_options(const AnalysisOptions& options);

/// The same numbers at any number of threads. Takes the precision out of the evaluation's arrays, and, while it works,
/// about 60 bytes a result and the arrays of another evaluation. Throws as check_options().
EvaluationAnalysis analyse(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
                           eval::CocoEvaluation& evaluation, const AnalysisOptions& options, ThreadPool& pool);

}  // namespace effdet::analysis
