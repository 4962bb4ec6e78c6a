// Options of an evaluation, as pycocotools' Params has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli.h"
#include "effdet/dataset.h"

namespace effdet::cli {

/// "0.5,0.75", ranges "0.5:0.95:0.05" (first, last, step; last included), or both. Throws Error(kUsage) that names the
/// flag for anything else, and for more than 1000 numbers.
std::vector<double> parse_thresholds(std::string_view flag, std::string_view text);

/// "all=0:1e10,tiny=0:256,huge=65536:inf". Throws Error(kUsage) that names the flag.
std::vector<EvaluateOptions::AreaRange> parse_areas(std::string_view flag, std::string_view text);

/// --lvis, --only-images-with-results, --images, --categories, --category-map, --no-categories, --iou-thresholds,
/// --recall-thresholds, --areas, --max-dets, --errors, --analysis, --score-threshold, --match-iou, --against,
/// --bootstrap, --seed, --arrays, --strict
class EvaluationOptions {
 public:
  void add_to(CommandLine& line);
  /// reports: whether the analysis is wanted for a report, too. Throws Error(kUsage), and as reading the list of
  /// images.
  EvaluateOptions read(bool reports) const;
  /// Whether the analysis is to be printed.
  bool shows_analysis() const { return analysis_; }

 private:
  EvaluateOptions options_;
  bool lvis_ = false;
  bool analysis_ = false;
  std::optional<double> match_iou_, score_threshold_;
  size_t resamples_ = 1000;
  uint64_t seed_ = 0;
  std::optional<std::string> images_, categories_;
  std::string category_map_, iou_thresholds_, recall_thresholds_, areas_, max_detections_, against_, arrays_;
};

}  // namespace effdet::cli
