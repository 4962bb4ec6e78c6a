// Evaluates result files on the images that they are about, and converts the numbers to the public form.
#include "dataset/evaluation.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "effdet/dataset.h"
#include "eval/coco_eval.h"

namespace effdet::dataset {
namespace {

/// Both files are JSON: annotations an object, results a list. Anything else is left to their readers.
void require_order(const std::filesystem::path& annotations, const std::filesystem::path& results) {
  const auto begins_with = [](const std::filesystem::path& path, char open) {
    const MappedFile file(path);
    const auto bytes = file.bytes();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == open;
  };
  if (begins_with(annotations, '[') && begins_with(results, '{'))
    fail(ErrorCode::kUsage, "{} holds results and {} annotations: give the annotation file first, then the results",
         annotations.string(), results.string());
}

std::vector<int64_t> images_of(std::span<const eval::CocoResult> results) {
  std::vector<int64_t> ids;
  ids.reserve(results.size());
  for (const eval::CocoResult& result : results) ids.push_back(result.image_id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace

Evaluation evaluate(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
                    std::span<const int64_t> image_ids) {
  const eval::CocoEvaluation coco = eval::evaluate_coco(dataset, results, image_ids);
  std::unordered_map<int64_t, const std::string*> names;
  for (const eval::Category& category : dataset.categories) names.emplace(category.id, &category.name);
  Evaluation evaluation{.stats = coco.stats,
                        .summary = eval::summary_lines(coco.stats),
                        .images = image_ids.size(),
                        .detections = results.size(),
                        .all_images = dataset.images.size(),
                        .categories = {},
                        .notes = dataset.notes};
  for (const eval::CategoryAp& category : coco.categories) {
    const auto name = names.find(category.category_id);
    evaluation.categories.push_back(
        {category.category_id, name == names.end() ? std::string() : *name->second, category.ap});
  }
  return evaluation;
}

std::vector<eval::CocoResult> results_of(std::span<const eval::ImageRecord* const> images,
                                         std::span<const std::vector<Detection>> detections, const ClassMap& classes) {
  std::vector<eval::CocoResult> results;
  for (size_t i = 0; i < images.size(); ++i) eval::append_results(images[i]->id, detections[i], results);
  for (eval::CocoResult& result : results) result.category_id = classes.category_of(result.category_id);
  std::erase_if(results, [](const eval::CocoResult& result) { return result.category_id == ClassMap::kNone; });
  return results;
}

void write_evaluated(const std::filesystem::path& path, std::span<const eval::CocoResult> results,
                     const eval::GroundTruth& dataset, const Evaluation& evaluation) try {
  if (!path.empty()) eval::write_coco_results(path, results, dataset);
} catch (const Error& error) {
  const auto& stats = evaluation.stats;
  fail(error.code(), "{}; AP {:.3f}, AP50 {:.3f}, AP75 {:.3f}, AR100 {:.3f} of {} images", error.what(), stats[0],
       stats[1], stats[2], stats[8], evaluation.images);
}

std::vector<int64_t> ids_of(std::span<const eval::ImageRecord* const> images) {
  std::vector<int64_t> ids;
  for (const eval::ImageRecord* image : images) ids.push_back(image->id);
  return ids;
}

}  // namespace effdet::dataset

namespace effdet {

Evaluation evaluate_results(const std::filesystem::path& annotations, const std::filesystem::path& results,
                            const EvaluateOptions& options) {
  const eval::BadRecords bad_records = options.strict ? eval::BadRecords::kRefuse : eval::BadRecords::kLeaveOut;
  dataset::require_order(annotations, results);
  const eval::GroundTruth truth = eval::read_coco_dataset(annotations, bad_records);
  const eval::CocoResultFile found = eval::read_coco_results(results, truth, bad_records);
  Evaluation evaluation = dataset::evaluate(
      truth, found.results,
      options.only_images_with_results ? dataset::images_of(found.results) : truth.sorted_image_ids());
  evaluation.notes.insert(evaluation.notes.end(), found.notes.begin(), found.notes.end());
  return evaluation;
}

}  // namespace effdet
