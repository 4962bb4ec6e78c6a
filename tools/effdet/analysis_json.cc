// The members have the names of EvaluationAnalysis; categories and images come with their ids and names.
#include "analysis_json.h"

#include <utility>

namespace effdet::cli {
namespace {

using nlohmann::json;

json point_json(const OperatingPoint& point) {
  return {{"score_threshold", point.threshold},
          {"precision", point.precision},
          {"recall", point.recall},
          {"f1", point.f1},
          {"true_positives", point.true_positives},
          {"false_positives", point.false_positives},
          {"false_negatives", point.false_negatives}};
}

json calibration_json(const Calibration& calibration) {
  json bins = json::array();
  for (const auto& [count, mean_score, precision] : calibration.bins)
    bins.push_back({{"detections", count}, {"mean_score", mean_score}, {"precision", precision}});
  return {{"ece", calibration.ece}, {"mce", calibration.mce}, {"bins", bins}, {"outside", calibration.outside}};
}

json scores_json(const CategoryAnalysis& analysis) {
  const ScoreCurve& curve = analysis.curve;
  return {{"precision", curve.precision},
          {"recall", curve.recall},
          {"f1", curve.f1},
          {"chosen", point_json(curve.chosen)},
          {"best_f1", curve.best ? point_json(*curve.best) : json()},
          {"calibration", calibration_json(analysis.calibration)}};
}

class AnalysisJson {
 public:
  explicit AnalysisJson(const Evaluation& evaluation) : evaluation_(evaluation), analysis_(*evaluation.analysis) {}

  json all() const {
    json categories = json::array();
    for (size_t k = 0; k < analysis_.categories.size(); ++k) {
      json entry = scores_json(analysis_.categories[k]);
      entry.update(category(k));
      categories.push_back(std::move(entry));
    }
    return {{"iou_threshold", analysis_.iou_threshold},
            {"score_threshold", analysis_.score_threshold},
            {"is_best_threshold", analysis_.is_best_threshold},
            {"score_thresholds", analysis_.thresholds},
            {"all", scores_json(analysis_.all)},
            {"categories", categories},
            {"precision_recall", precision_recall()},
            {"confusion", confusion()},
            {"label_errors", label_errors()},
            {"worst_images", worst_images()},
            {"sizes", sizes()}};
  }

 private:
  /// Background is null.
  json category(size_t k) const {
    if (k >= evaluation_.categories.size()) return {{"category_id", nullptr}, {"category", nullptr}};
    return {{"category_id", evaluation_.categories[k].id}, {"category", evaluation_.categories[k].name}};
  }

  /// The mean of all categories for each size and IoU; of each category the curves of all sizes.
  json precision_recall() const {
    const PrecisionCurves& curves = analysis_.precision;
    json all = json::object(), categories = json::array();
    for (size_t a = 0; a < curves.areas.size(); ++a) {
      json by_iou = json::array();
      for (size_t t = 0; t < curves.iou_thresholds.size(); ++t) by_iou.push_back(curves.mean(a, t));
      all[curves.areas[a]] = std::move(by_iou);
    }
    for (size_t k = 0; k < curves.num_categories; ++k) {
      json entry = category(k);
      for (size_t t = 0; t < curves.iou_thresholds.size(); ++t) {
        json values = json::array();
        for (size_t r = 0; r < curves.recall_thresholds.size(); ++r) values.push_back(curves.at(k, 0, t, r));
        entry["precision"].push_back(std::move(values));
      }
      categories.push_back(std::move(entry));
    }
    return {{"iou_thresholds", curves.iou_thresholds},
            {"recall_thresholds", curves.recall_thresholds},
            {"all", all},
            {"categories", categories}};
  }

  json confusion() const {
    json cells = json::array(), pairs = json::array();
    for (const auto& [actual, predicted, count] : analysis_.confusion.cells)
      cells.push_back({actual, predicted, count});
    for (const auto& [actual, predicted, count] : analysis_.confusion.most_confused)
      pairs.push_back({{"actual", category(actual)}, {"predicted", category(predicted)}, {"count", count}});
    return {{"background", analysis_.confusion.num_categories}, {"cells", cells}, {"most_confused", pairs}};
  }

  json list(const std::vector<LabelError>& errors, size_t count) const {
    json listed = json::array();
    for (const LabelError& error : errors) {
      json entry = image_json(error.image);
      entry.update(category(error.category));
      entry["bbox"] = error.box;
      if (&errors != &analysis_.label_errors.never_found) entry["score"] = error.score;
      if (&errors == &analysis_.label_errors.wrong_categories) entry["labelled"] = category(error.labelled);
      entry["iou"] = error.iou;
      listed.push_back(std::move(entry));
    }
    return {{"count", count}, {"listed", listed}};
  }

  json label_errors() const {
    const LabelErrors& errors = analysis_.label_errors;
    return {{"missing_boxes", list(errors.missing_boxes, errors.num_missing_boxes)},
            {"wrong_categories", list(errors.wrong_categories, errors.num_wrong_categories)},
            {"never_found", list(errors.never_found, errors.num_never_found)}};
  }

  json worst_images() const {
    constexpr const char* kKinds[] = {"true_positive", "false_positive", "false_negative", "found", "ignored"};
    json images = json::array();
    for (const WorstImage& worst : analysis_.worst_images) {
      json entry = image_json(worst.image), boxes = json::array();
      for (const WorstImage::Box& box : worst.boxes) {
        json item = category(box.category);
        item["kind"] = kKinds[static_cast<size_t>(box.kind)];
        item["bbox"] = box.box;
        if (box.kind <= WorstImage::Kind::kFalsePositive) item["score"] = box.score;
        boxes.push_back(std::move(item));
      }
      entry["true_positives"] = worst.true_positives;
      entry["false_positives"] = worst.false_positives;
      entry["false_negatives"] = worst.false_negatives;
      entry["f1"] = worst.f1;
      entry["boxes"] = std::move(boxes);
      entry["boxes_left_out"] = worst.boxes_left_out;
      images.push_back(std::move(entry));
    }
    return images;
  }

  json sizes() const {
    json list = json::array();
    for (const SizeBucket& size : analysis_.sizes)
      list.push_back({{"low_side", size.low_side},
                      {"high_side", size.high_side},  // infinity is written as null
                      {"objects", size.objects},
                      {"found", size.found},
                      {"AP", size.ap},
                      {"AR", size.ar}});
    return list;
  }

  const Evaluation& evaluation_;
  const EvaluationAnalysis& analysis_;
};

}  // namespace

json image_json(const AnalysedImage& image) {
  const json id = json::parse(image.id, nullptr, /*allow_exceptions=*/false);
  return {{"image_id", id.is_discarded() ? json(image.id) : id},
          {"file_name", image.file_name},
          {"width", image.width},
          {"height", image.height}};
}

json analysis_json(const Evaluation& evaluation) { return AnalysisJson(evaluation).all(); }

}  // namespace effdet::cli
