// Looks up the images and categories that people name, and fills in what they leave out.
#include "dataset/evaluation_params.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "base/error.h"
#include "dataset/category_map.h"
#include "eval/lvis.h"

namespace effdet::dataset {
namespace {

int64_t image_of(const std::string& text, const eval::GroundTruth& dataset) {
  const int64_t id = dataset.image_ids.parse(text);
  if (dataset.find_image(id) == nullptr)
    fail(ErrorCode::kUsage, "images to evaluate: the annotation file has no image with the id '{}'", text);
  return id;
}

int64_t category_of(const std::string& text, const eval::GroundTruth& dataset) {
  const std::optional<int64_t> id = find_category(dataset, text);
  if (!id)
    fail(ErrorCode::kUsage, "categories to evaluate: the annotation file has none with the id or name '{}'", text);
  return *id;
}

void require_lvis_options(const EvaluateOptions& options) {
  if (options.max_detections.size() > 1)
    fail(ErrorCode::kUsage, "LVIS has one number of detections, of an image; {} are given",
         options.max_detections.size());
  if (options.ignore_categories)
    fail(ErrorCode::kUsage, "LVIS' rules are about categories; without them, use COCO's rules");
  if (options.error_analysis)
    fail(ErrorCode::kUsage, "kinds of errors (TIDE) are those of COCO's rules: leave --errors out with --lvis");
}

}  // namespace

eval::CocoParams default_params(const eval::GroundTruth& dataset) {
  eval::CocoParams params = eval::CocoParams::all_of(dataset);
  if (dataset.rules == eval::Rules::kLvis) params.max_detections = {eval::kLvisDetections};
  return params;
}

eval::CocoParams evaluation_params(const EvaluateOptions& options, const eval::GroundTruth& dataset) {
  if (dataset.rules == eval::Rules::kLvis) require_lvis_options(options);
  eval::CocoParams params = default_params(dataset);
  if (!options.images.empty()) {
    params.image_ids.clear();
    for (const std::string& image : options.images) params.image_ids.push_back(image_of(image, dataset));
  }
  if (!options.categories.empty()) {
    params.category_ids.clear();
    for (const std::string& name : options.categories) params.category_ids.push_back(category_of(name, dataset));
  }
  if (!options.iou_thresholds.empty()) params.iou_thresholds = options.iou_thresholds;
  if (!options.recall_thresholds.empty()) params.recall_thresholds = options.recall_thresholds;
  if (!options.max_detections.empty()) params.max_detections = options.max_detections;
  if (!options.areas.empty()) {
    params.area_ranges.clear();
    for (const auto& [label, low, high] : options.areas) params.area_ranges.push_back({label, low, high});
  }
  params.use_categories = !options.ignore_categories;
  params.settle();
  return params;
}

void keep_images_with_results(std::initializer_list<std::span<const eval::CocoResult>> files,
                              eval::CocoParams& params) {
  std::unordered_set<int64_t> seen;
  for (const std::span<const eval::CocoResult> results : files)
    for (const eval::CocoResult& result : results) seen.insert(result.image_id);
  std::erase_if(params.image_ids, [&](int64_t id) { return !seen.contains(id); });
}

}  // namespace effdet::dataset
