// Looks for detections without an object, with an object of another category, and for objects without a detection.
#include "analysis/label_errors.h"

#include <algorithm>

namespace effdet::analysis {
namespace {

/// TIDE's: boxes that overlap less have nothing to do with each other.
constexpr double kBackgroundOverlap = 0.1;

void add_suspect(const ImageContent& image, const ImageContent::Detection& detection,
                 const ImageOverlaps::OfDetection& overlap, double iou_threshold, Suspects& suspects) {
  const double score = detection.result->score;
  if (overlap.anything < kBackgroundOverlap) {
    suspects.missing_boxes.push_back({score, overlap.anything, detection.result, nullptr, detection.category, 0});
    return;
  }
  if (overlap.other.iou < iou_threshold || overlap.own >= iou_threshold) return;
  const ImageContent::Object& object = image.objects[overlap.other.object];
  if (object.is_found_at(score)) return;
  suspects.wrong_categories.push_back(
      {score, overlap.other.iou, detection.result, object.annotation, detection.category, object.category});
}

/// The largest weights, in order; of equal ones those that come first.
std::vector<LabelError> listed(std::vector<Suspect>& suspects, const eval::GroundTruth& dataset, size_t most) {
  std::stable_sort(suspects.begin(), suspects.end(),
                   [](const Suspect& a, const Suspect& b) { return a.weight > b.weight; });
  suspects.resize(std::min(suspects.size(), most));
  std::vector<LabelError> errors;
  for (const Suspect& suspect : suspects) {
    const eval::CocoResult* detection = suspect.detection;
    errors.push_back(
        {.image = analysed_image(dataset, detection != nullptr ? detection->image_id : suspect.annotation->image_id),
         .box = detection != nullptr ? detection->bbox : suspect.annotation->bbox,
         .category = suspect.category,
         .score = detection != nullptr ? detection->score : -1,
         .labelled = suspect.labelled,
         .iou = suspect.iou});
  }
  return errors;
}

}  // namespace

void add_suspects(const ImageContent& image, const ImageOverlaps& overlaps, double iou_threshold,
                  double score_threshold, Suspects& suspects) {
  for (size_t d = 0; d < image.detections.size(); ++d) {
    const ImageContent::Detection& detection = image.detections[d];
    if (detection.verdict == Verdict::kFalsePositive && detection.result->score >= score_threshold)
      add_suspect(image, detection, overlaps.detection(d), iou_threshold, suspects);
  }
  for (size_t o = 0; o < image.objects.size(); ++o) {
    const auto& [annotation, category, counts, found_score] = image.objects[o];
    if (counts && overlaps.object(o) < kBackgroundOverlap)
      suspects.never_found.push_back({annotation->area, overlaps.object(o), nullptr, annotation, category, category});
  }
}

LabelErrors label_errors(Suspects suspects, const eval::GroundTruth& dataset, size_t most) {
  LabelErrors errors;
  errors.num_missing_boxes = suspects.missing_boxes.size();
  errors.num_wrong_categories = suspects.wrong_categories.size();
  errors.num_never_found = suspects.never_found.size();
  errors.missing_boxes = listed(suspects.missing_boxes, dataset, most);
  errors.wrong_categories = listed(suspects.wrong_categories, dataset, most);
  errors.never_found = listed(suspects.never_found, dataset, most);
  return errors;
}

AnalysedImage analysed_image(const eval::GroundTruth& dataset, int64_t id) {
  AnalysedImage image{.id = dataset.image_ids.json_of(id), .file_name = {}};
  if (const eval::ImageRecord* record = dataset.find_image(id); record != nullptr) {
    image.file_name = record->file_name;
    image.width = record->width;
    image.height = record->height;
  }
  return image;
}

}  // namespace effdet::analysis
