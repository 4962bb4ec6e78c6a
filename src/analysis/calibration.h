// How far scores are from the share of detections that are right.
#pragma once

#include <cstddef>
#include <span>

#include "analysis/score_curves.h"
#include "effdet/evaluation_analysis.h"

namespace effdet::analysis {

Calibration calibrate(std::span<const ScoredDetection> ranked, size_t num_bins);

}  // namespace effdet::analysis
