// Area ranges that do not share their ends, evaluated as COCO's.
#include "analysis/object_sizes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "eval/coco_eval.h"
#include "eval/coco_summary.h"

namespace effdet::analysis {
namespace {

/// The part of a range that lies in [low, high).
eval::AreaRange part_of(const eval::AreaRange& range, double low, double high) {
  eval::AreaRange part{"", std::max(range.low, low), std::min(range.high, std::nextafter(high, 0))};
  return part.low <= part.high ? part : eval::AreaRange{"", -1, -1};  // of no area
}

double value_of(const std::vector<eval::CocoMetric>& metrics, const std::string& name) {
  const auto metric = std::ranges::find(metrics, name, &eval::CocoMetric::name);
  return metric == metrics.end() ? -1 : metric->value;
}

void count_objects(const Matches& matches, double score_threshold, const std::vector<eval::AreaRange>& ranges,
                   std::vector<SizeBucket>& buckets) {
  ImageContent content;
  for (size_t image = 0; image < matches.num_images(); ++image) {
    matches.read(image, content);
    for (const ImageContent::Object& object : content.objects) {
      for (size_t i = 0; object.counts && i < buckets.size(); ++i) {
        if (!ranges[i + 1].contains(object.annotation->area)) continue;
        ++buckets[i].objects;
        buckets[i].found += object.is_found_at(score_threshold) ? 1 : 0;
      }
    }
  }
}

}  // namespace

std::vector<SizeBucket> evaluate_sizes(const Matches& matches, std::span<const eval::CocoResult> results,
                                       double score_threshold, std::span<const double> sides, ThreadPool& pool) {
  const eval::AreaRange all = matches.params().area_ranges.front();
  eval::CocoParams params = matches.params();
  params.area_ranges = {{"all", all.low, all.high}};
  std::vector<SizeBucket> buckets;
  for (size_t i = 0; i <= sides.size(); ++i) {
    const double low = i == 0 ? 0 : sides[i - 1];
    const double high = i == sides.size() ? std::numeric_limits<double>::infinity() : sides[i];
    buckets.push_back({.low_side = low, .high_side = high});
    params.area_ranges.push_back(part_of(all, low * low, high * high));
    params.area_ranges.back().label = std::to_string(i);
  }
  params.max_detections = {params.max_detections.back()};
  count_objects(matches, score_threshold, params.area_ranges, buckets);
  const auto metrics = eval::summarize(
      eval::evaluate_coco(matches.dataset(), results, std::move(params), eval::CocoOutput::kSummary, &pool));
  for (size_t i = 0; i < buckets.size(); ++i) {
    buckets[i].ap = value_of(metrics, "AP_" + std::to_string(i));
    buckets[i].ar = value_of(metrics, "AR_" + std::to_string(i));
  }
  return buckets;
}

}  // namespace effdet::analysis
