#include "pipeline/evaluation.h"

#include <algorithm>
#include <unordered_map>

#include "eval/coco_eval.h"
#include "pipeline/dataset.h"

namespace effdet::pipeline {

Evaluation evaluate(const CocoDataset& dataset, std::span<const CocoResult> results,
                    std::span<const int64_t> image_ids) {
  const CocoEvaluation coco = evaluate_coco(dataset, results, image_ids);
  std::unordered_map<int64_t, const std::string*> names;
  for (const CocoCategory& category : dataset.categories) names.emplace(category.id, &category.name);
  Evaluation evaluation{.stats = coco.stats,
                        .summary = summary_lines(coco.stats),
                        .images = image_ids.size(),
                        .detections = results.size(),
                        .categories = {}};
  for (const CategoryAp& category : coco.categories) {
    const auto name = names.find(category.category_id);
    evaluation.categories.push_back(
        {category.category_id, name == names.end() ? std::string() : *name->second, category.ap});
  }
  return evaluation;
}

Evaluation evaluate_detections(const CocoDataset& dataset, std::span<const CocoImage* const> images,
                               std::span<const std::vector<Detection>> detections,
                               const std::filesystem::path& results_file) {
  std::vector<CocoResult> results;
  std::vector<int64_t> ids;
  for (size_t i = 0; i < images.size(); ++i) {
    ids.push_back(images[i]->id);
    append_results(images[i]->id, detections[i], results);
  }
  if (!results_file.empty()) write_coco_results(results_file, results);
  return evaluate(dataset, results, ids);
}

Evaluation evaluate_results(const std::filesystem::path& annotations, const std::filesystem::path& results,
                            std::vector<int64_t> image_ids) {
  const CocoDataset dataset = read_coco_dataset(annotations);
  const std::vector<CocoResult> found = read_coco_results(results);
  if (image_ids.empty())
    for (const CocoResult& result : found) image_ids.push_back(result.image_id);
  std::sort(image_ids.begin(), image_ids.end());
  image_ids.erase(std::unique(image_ids.begin(), image_ids.end()), image_ids.end());
  return evaluate(dataset, found, image_ids);
}

}  // namespace effdet::pipeline
