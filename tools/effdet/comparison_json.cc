// The members have the names of EvaluationComparison; numbers that are not defined are -1, their differences null.
#include "comparison_json.h"

#include <utility>

#include "analysis_json.h"

namespace effdet::cli {
namespace {

using nlohmann::json;

constexpr double kConfidence = 0.95;

json number_json(const ComparedNumber& number) {
  return {{"value", number.value},
          {"other", number.other},
          {"difference", number.difference},  // NaN is written as null
          {"low", number.low},
          {"high", number.high},
          {"better", number.better},
          {"resamples", number.resamples},
          {"includes_zero", number.includes_zero()}};
}

json counts_json(const ChangedImage::Counts& counts) {
  return {{"true_positives", counts.true_positives},
          {"false_positives", counts.false_positives},
          {"false_negatives", counts.false_negatives}};
}

json boxes_json(const Evaluation& evaluation, const ChangedImage& image) {
  constexpr const char* kKinds[] = {"found", "lost", "false_positive", "other_false_positive"};
  json boxes = json::array();
  for (const ChangedImage::Box& box : image.boxes) {
    json entry = {{"kind", kKinds[static_cast<size_t>(box.kind)]},
                  {"bbox", box.box},
                  {"category_id", evaluation.categories[box.category].id},
                  {"category", evaluation.categories[box.category].name}};
    if (box.kind >= ChangedImage::Box::Kind::kFalsePositive) entry["score"] = box.score;
    boxes.push_back(std::move(entry));
  }
  return boxes;
}

json category_json(const Evaluation& evaluation, size_t index) {
  const EvaluationComparison::Category& category = evaluation.comparison->categories[index];
  json entry = {{"category_id", evaluation.categories[index].id},
                {"category", evaluation.categories[index].name},
                {"AP", number_json(category.ap)},
                {"AP50", number_json(category.ap50)},
                {"AP75", number_json(category.ap75)},
                {"AR", number_json(category.ar)},
                {"other_detections", category.other_detections}};
  for (size_t a = 0; a < category.area_ap.size(); ++a)
    entry["AP_" + evaluation.areas[a + 1]] = number_json(category.area_ap[a]);
  return entry;
}

}  // namespace

json comparison_json(const Evaluation& evaluation) {
  const EvaluationComparison& comparison = *evaluation.comparison;
  json metrics = json::object(), categories = json::array(), changed = json::array(), images = json::array();
  for (const auto& [name, number] : comparison.metrics) metrics[name] = number_json(number);
  for (size_t k = 0; k < comparison.categories.size(); ++k) categories.push_back(category_json(evaluation, k));
  for (const size_t k : comparison.changed_categories)
    changed.push_back({{"category_id", evaluation.categories[k].id},
                       {"category", evaluation.categories[k].name},
                       {"difference", comparison.categories[k].ap.difference}});
  for (const ChangedImage& image : comparison.changed_images) {
    json entry = image_json(image.image);
    entry.update({{"counts", counts_json(image.counts)},
                  {"other", counts_json(image.other)},
                  {"found", image.found},
                  {"lost", image.lost},
                  {"boxes", boxes_json(evaluation, image)},
                  {"boxes_left_out", image.boxes_left_out}});
    images.push_back(std::move(entry));
  }
  return {{"against", comparison.against},
          {"other_detections", comparison.other_detections},
          {"resamples", comparison.resamples},
          {"seed", comparison.seed},
          {"confidence", kConfidence},
          {"metrics", metrics},
          {"categories", categories},
          {"changed_categories", {{"count", comparison.num_changed_categories}, {"listed", changed}}},
          {"iou_threshold", comparison.iou_threshold},
          {"score_threshold", comparison.score_threshold},
          {"other_score_threshold", comparison.other_score_threshold},
          {"changed_images", {{"count", comparison.num_changed_images}, {"listed", images}}}};
}

}  // namespace effdet::cli
