// Precision, recall and F1 over the score threshold.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "analysis/matches.h"
#include "effdet/evaluation_analysis.h"

namespace effdet::analysis {

/// A detection that is right or wrong; those that COCO ignores are none.
struct ScoredDetection {
  double score;
  bool is_true;
};

/// Of one category, or of all (kAllCategories), in order of falling score.
std::vector<ScoredDetection> ranked_detections(const Matches& matches, size_t category);
inline constexpr size_t kAllCategories = static_cast<size_t>(-1);

/// "points" thresholds in equal steps from 0 to 1, or from the lowest to the highest score where that is further, at
/// most to -1e6 and 1e6. ranked: of all categories.
std::vector<double> curve_thresholds(std::span<const ScoredDetection> ranked, size_t points);

/// The point with the largest F1; nothing where no detection is true.
std::optional<OperatingPoint> best_point(std::span<const ScoredDetection> ranked, size_t num_objects);

/// thresholds: rising.
ScoreCurve score_curve(std::span<const ScoredDetection> ranked, size_t num_objects, std::span<const double> thresholds,
                       double chosen);

/// With precision, recall and F1 of the counts.
OperatingPoint operating_point(double threshold, size_t true_positives, size_t false_positives, size_t num_objects);

}  // namespace effdet::analysis
