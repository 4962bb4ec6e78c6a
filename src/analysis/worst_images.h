// The images with the most errors, with all that is to be drawn of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/matches.h"
#include "effdet/evaluation_analysis.h"

namespace effdet::analysis {

/// What is right and wrong in an image, at the score threshold.
struct ImageCounts {
  uint32_t true_positives = 0, false_positives = 0, false_negatives = 0;
};
ImageCounts count_errors(const ImageContent& image, double score_threshold);

/// counts: of each image of the matches. Images without errors are not listed.
std::vector<WorstImage> worst_images(const Matches& matches, const std::vector<ImageCounts>& counts,
                                     double score_threshold, const AnalysisOptions& options);

}  // namespace effdet::analysis
