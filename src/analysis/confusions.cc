// Pairs objects and detections of any categories, and counts the pairs.
#include "analysis/confusions.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace effdet::analysis {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

/// Whether an object is paired with a detection rather than with another one.
bool is_better_pair(const ImageContent& image, const ImageOverlaps& overlaps, uint32_t object, uint32_t candidate,
                    uint32_t other) {
  const auto rank = [&](uint32_t d) {
    const ImageContent::Detection& detection = image.detections[d];
    return std::tuple(overlaps.detection(d).any.iou, detection.category == image.objects[object].category,
                      detection.result->score);
  };
  return rank(candidate) > rank(other);
}

bool takes_part(const ImageContent::Detection& detection, double score_threshold) {
  return (detection.verdict == Verdict::kTruePositive || detection.verdict == Verdict::kFalsePositive) &&
         detection.result->score >= score_threshold;
}

}  // namespace

void add_confusions(const ImageContent& image, const ImageOverlaps& overlaps, double iou_threshold,
                    double score_threshold, uint32_t background, std::vector<Confused>& confusions) {
  std::vector<uint32_t> partners(image.objects.size(), kNone);
  for (uint32_t d = 0; d < image.detections.size(); ++d) {
    const ImageOverlaps::Best& best = overlaps.detection(d).any;
    if (!takes_part(image.detections[d], score_threshold) || best.iou < iou_threshold) continue;
    uint32_t& partner = partners[best.object];
    if (partner == kNone || is_better_pair(image, overlaps, best.object, d, partner)) partner = d;
  }
  for (size_t o = 0; o < image.objects.size(); ++o) {
    if (!image.objects[o].counts) continue;
    const uint32_t predicted = partners[o] == kNone ? background : image.detections[partners[o]].category;
    confusions.push_back({image.objects[o].category, predicted});
  }
  for (uint32_t d = 0; d < image.detections.size(); ++d) {
    const ImageOverlaps::Best& best = overlaps.detection(d).any;
    const bool has_object = best.iou >= iou_threshold && partners[best.object] == d;
    if (takes_part(image.detections[d], score_threshold) && !has_object)
      confusions.push_back({background, image.detections[d].category});
  }
}

ConfusionMatrix confusion_matrix(std::vector<Confused> confusions, size_t num_categories, size_t max_pairs) {
  ConfusionMatrix matrix{.num_categories = num_categories, .cells = {}, .most_confused = {}};
  std::sort(confusions.begin(), confusions.end());
  for (size_t i = 0; i < confusions.size(); ++i) {
    if (i == 0 || confusions[i] != confusions[i - 1])
      matrix.cells.push_back({confusions[i].actual, confusions[i].predicted, 0});
    ++matrix.cells.back().count;
  }
  std::copy_if(matrix.cells.begin(), matrix.cells.end(), std::back_inserter(matrix.most_confused),
               [&](const ConfusionMatrix::Cell& cell) {
                 return cell.actual != cell.predicted && cell.actual < num_categories &&
                        cell.predicted < num_categories;
               });
  std::stable_sort(matrix.most_confused.begin(), matrix.most_confused.end(),
                   [](const ConfusionMatrix::Cell& a, const ConfusionMatrix::Cell& b) { return a.count > b.count; });
  matrix.most_confused.resize(std::min(matrix.most_confused.size(), max_pairs));
  return matrix;
}

}  // namespace effdet::analysis
