// Default parameters of an evaluation, and checks of those that people choose.
#include "eval/coco_params.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"

namespace effdet::eval {
namespace {

constexpr size_t kMaxCategories = 10000;

void sort_once(std::vector<int64_t>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

void check_thresholds(const std::vector<double>& thresholds, const char* what) {
  if (thresholds.empty()) fail(ErrorCode::kUsage, "evaluation: no {} is given", what);
  for (const double threshold : thresholds)
    if (!(threshold >= 0 && threshold <= 1))
      fail(ErrorCode::kUsage, "evaluation: {} {} is not in [0, 1]", what, threshold);
}

void check_areas(const std::vector<AreaRange>& ranges) {
  if (ranges.empty()) fail(ErrorCode::kUsage, "evaluation: no area range is given");
  std::set<std::string> labels;
  for (const AreaRange& range : ranges) {
    if (!(range.low <= range.high))
      fail(ErrorCode::kUsage, "evaluation: area range '{}' is from {} to {}", range.label, range.low, range.high);
    if (!labels.insert(range.label).second)
      fail(ErrorCode::kUsage, "evaluation: two area ranges are called '{}'", range.label);
  }
}

}  // namespace

std::vector<double> linspace(double first, double last, size_t count) {
  std::vector<double> values(count, first);
  const double step = count > 1 ? (last - first) / static_cast<double>(count - 1) : 0;
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<double>(i) * step + first;
  if (count > 1) values.back() = last;
  return values;
}

CocoParams CocoParams::all_of(const GroundTruth& dataset) {
  CocoParams params;
  params.image_ids = dataset.sorted_image_ids();
  for (const Category& category : dataset.categories) params.category_ids.push_back(category.id);
  return params;
}

void CocoParams::settle() {
  sort_once(image_ids);
  sort_once(category_ids);
  std::sort(max_detections.begin(), max_detections.end());
  if (category_ids.size() > kMaxCategories)
    fail(ErrorCode::kUnsupported, "evaluation: {} categories, at most {} are supported", category_ids.size(),
         kMaxCategories);
  check_thresholds(iou_thresholds, "IoU threshold");
  check_thresholds(recall_thresholds, "recall threshold");
  check_areas(area_ranges);
  if (max_detections.empty() || max_detections.front() == 0)
    fail(ErrorCode::kUsage, "evaluation: the numbers of detections an image begin at 1");
}

}  // namespace effdet::eval
