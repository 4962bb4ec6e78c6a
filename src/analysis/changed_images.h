// Images of which two results find other objects, or in which they have other false positives.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/matches.h"
#include "effdet/evaluation_comparison.h"

namespace effdet::analysis {

struct MatchedFile {
  const Matches* matches;
  double score_threshold;
};

/// Fills in the images that changed, by the comparison's IoU threshold. Precondition: both files are matched with the
/// same data set and parameters, at that threshold.
void list_changed_images(const MatchedFile& file, const MatchedFile& other, const ComparisonOptions& options,
                         EvaluationComparison& comparison);

/// The score at which F1 over all categories is best; 0.5 where nothing is found.
double best_threshold(const Matches& matches);

}  // namespace effdet::analysis
