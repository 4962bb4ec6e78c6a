// Bins of scores, and the errors that they come to.
#include "analysis/calibration.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eval/coco_params.h"

namespace effdet::analysis {

Calibration calibrate(std::span<const ScoredDetection> ranked, size_t num_bins) {
  Calibration calibration;
  calibration.bins.resize(num_bins);
  const std::vector<double> edges = eval::linspace(0, 1, num_bins + 1);
  size_t count = 0;
  for (const auto& [score, is_true] : ranked) {
    if (score < 0 || score > 1) {
      ++calibration.outside;
      continue;
    }
    const auto above = std::lower_bound(edges.begin() + 1, edges.end(), score);
    Calibration::Bin& bin = calibration.bins[static_cast<size_t>(above - edges.begin() - 1)];
    ++bin.count;
    bin.mean_score += score;
    bin.precision += is_true ? 1 : 0;
    ++count;
  }
  if (count == 0) return calibration;
  calibration.ece = calibration.mce = 0;
  for (Calibration::Bin& bin : calibration.bins) {
    if (bin.count == 0) continue;
    const auto size = static_cast<double>(bin.count);
    bin.mean_score /= size;
    bin.precision /= size;
    const double error = std::abs(bin.precision - bin.mean_score);
    calibration.ece += error * size / static_cast<double>(count);
    calibration.mce = std::max(calibration.mce, error);
  }
  return calibration;
}

}  // namespace effdet::analysis
