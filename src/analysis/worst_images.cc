// Ranks images by their errors, and reads the boxes of those that are listed.
#include "analysis/worst_images.h"

#include <algorithm>
#include <numeric>

#include "analysis/label_errors.h"
#include "analysis/score_curves.h"

namespace effdet::analysis {
namespace {

OperatingPoint point_of(const ImageCounts& counts, double score_threshold) {
  return operating_point(score_threshold, counts.true_positives, counts.false_positives,
                         size_t{counts.true_positives} + counts.false_negatives);
}

void add_boxes(const ImageContent& content, double score_threshold, size_t most, WorstImage& worst) {
  using Kind = WorstImage::Kind;
  const auto add = [&](const WorstImage::Box& box) {
    if (worst.boxes.size() < most) {
      worst.boxes.push_back(box);
    } else {
      ++worst.boxes_left_out;
    }
  };
  for (const ImageContent::Object& object : content.objects) {
    const Kind kind = !object.counts                        ? Kind::kIgnored
                      : object.is_found_at(score_threshold) ? Kind::kFound
                                                            : Kind::kFalseNegative;
    add({kind, object.annotation->bbox, object.category});
  }
  for (const auto& [result, category, verdict] : content.detections) {
    if (result->score < score_threshold) continue;
    if (verdict == Verdict::kTruePositive) add({Kind::kTruePositive, result->bbox, category, result->score});
    if (verdict == Verdict::kFalsePositive) add({Kind::kFalsePositive, result->bbox, category, result->score});
  }
}

}  // namespace

ImageCounts count_errors(const ImageContent& image, double score_threshold) {
  ImageCounts counts;
  for (const auto& [result, category, verdict] : image.detections) {
    if (result->score < score_threshold) continue;
    counts.true_positives += verdict == Verdict::kTruePositive ? 1 : 0;
    counts.false_positives += verdict == Verdict::kFalsePositive ? 1 : 0;
  }
  for (const ImageContent::Object& object : image.objects)
    counts.false_negatives += object.counts && !object.is_found_at(score_threshold) ? 1 : 0;
  return counts;
}

std::vector<WorstImage> worst_images(const Matches& matches, const std::vector<ImageCounts>& counts,
                                     double score_threshold, const AnalysisOptions& options) {
  const auto errors = [&](size_t i) { return size_t{counts[i].false_positives} + counts[i].false_negatives; };
  std::vector<size_t> order(counts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t i) { return errors(i) == 0; });
  // With as many errors, more true positives make F1 higher.
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return errors(a) != errors(b) ? errors(a) > errors(b) : counts[a].true_positives < counts[b].true_positives;
  });
  order.resize(std::min(order.size(), options.max_images));
  std::vector<WorstImage> images;
  ImageContent content;
  for (const size_t i : order) {
    WorstImage worst{.image = analysed_image(matches.dataset(), matches.image_id(i)),
                     .true_positives = counts[i].true_positives,
                     .false_positives = counts[i].false_positives,
                     .false_negatives = counts[i].false_negatives,
                     .f1 = point_of(counts[i], score_threshold).f1,
                     .boxes = {}};
    matches.read(i, content);
    add_boxes(content, score_threshold, options.max_boxes, worst);
    images.push_back(std::move(worst));
  }
  return images;
}

}  // namespace effdet::analysis
