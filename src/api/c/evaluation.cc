// C interface: evaluation of results, and of models.
#include <atomic>

#include "api/c/call.h"
#include "api/c/detections.h"
#include "api/c/model.h"
#include "effdet/dataset.h"

using namespace effdet;
using namespace effdet::api;

struct effdet_evaluation {
  Evaluation evaluation;
  std::string summary;
};

namespace {

effdet_evaluation* handle_of(Evaluation evaluation) {
  std::string summary;
  for (const std::string& line : evaluation.summary) summary += line + '\n';
  return new effdet_evaluation{std::move(evaluation), std::move(summary)};
}

}  // namespace

const double* effdet_evaluation_stats(const effdet_evaluation* evaluation) {
  return evaluation ? evaluation->evaluation.stats.data() : nullptr;
}
const char* effdet_evaluation_summary(const effdet_evaluation* evaluation) {
  return evaluation ? evaluation->summary.c_str() : nullptr;
}
size_t effdet_evaluation_images(const effdet_evaluation* evaluation) {
  return evaluation ? evaluation->evaluation.images : 0;
}
size_t effdet_evaluation_category_count(const effdet_evaluation* evaluation) {
  return evaluation ? evaluation->evaluation.categories.size() : 0;
}

effdet_status effdet_evaluation_category(const effdet_evaluation* evaluation, size_t index,
                                         effdet_category_ap* category) {
  return call([&] {
    const auto& categories = need(evaluation, "evaluation").evaluation.categories;
    if (index >= categories.size()) fail(ErrorCode::kUsage, "category {} of {}", index, categories.size());
    const auto& found = categories[index];
    need(category, "category") = {found.id, found.name.c_str(), found.ap, found.ap50, found.ap75};
  });
}

void effdet_evaluation_free(effdet_evaluation* evaluation) { delete evaluation; }

void effdet_evaluate_options_init(effdet_evaluate_options* options) {
  if (options) *options = {.size = sizeof(*options)};
}

effdet_status effdet_evaluate(const char* annotations, const char* results, const effdet_evaluate_options* options,
                              effdet_evaluation** evaluation) {
  return call([&] {
    need(evaluation, "evaluation");
    const effdet_evaluate_options given = taken(options, effdet_evaluate_options_init, "effdet_evaluate_options");
    EvaluateOptions own;
    own.images = list_of<std::string>(given.images, given.num_images, "images");
    own.categories = list_of<std::string>(given.categories, given.num_categories, "categories");
    own.ignore_categories = given.ignore_categories != 0;
    own.iou_thresholds = list_of<double>(given.iou_thresholds, given.num_iou_thresholds, "iou_thresholds");
    own.recall_thresholds = list_of<double>(given.recall_thresholds, given.num_recall_thresholds, "recall_thresholds");
    own.max_detections = list_of<size_t>(given.max_detections, given.num_max_detections, "max_detections");
    for (size_t i = 0; i < given.num_areas; ++i)
      own.areas.push_back({need_text((&need(given.area_labels, "area_labels"))[i], "an area's label"),
                           (&need(given.area_ranges, "area_ranges"))[2 * i], given.area_ranges[2 * i + 1]});
    if (given.arrays) own.arrays = given.arrays;
    *evaluation = handle_of(
        evaluate_results(need_text(annotations, "annotations"), need_text(results, "results"), own, given.threads));
  });
}

void effdet_validate_options_init(effdet_validate_options* options) {
  if (options) *options = {.size = sizeof(*options)};
}

effdet_status effdet_validate(const effdet_model* model, const char* root, const effdet_validate_options* options,
                              effdet_evaluation** evaluation) {
  return call([&] {
    need(evaluation, "evaluation");
    const effdet_validate_options given = taken(options, effdet_validate_options_init, "effdet_validate_options");
    std::atomic<bool> stop = false;
    ValidateOptions own{.detect = detect_options(given.detect),
                        .limit = given.limit,
                        .streams = given.streams == 0 ? 1 : threads(given.streams),
                        .stop = &stop};
    if (given.results) own.results = given.results;
    if (given.on_image)
      own.progress = [&](size_t done, size_t total, double) {
        if (given.on_image(done, total, given.user) != 0) stop = true;
      };
    *evaluation = handle_of(
        validate_dataset(need_text(root, "root"), need(model, "model").model, own, threads(given.threads)).evaluation);
  });
}
