// Labels detections image by image, then walks down the scores of each category.
#include "eval/open_images.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

#include "eval/coco_groups.h"
#include "eval/coco_match.h"

namespace effdet::eval {
namespace {

constexpr double kOverlap = 0.5;

/// A detection that counts.
struct Labelled {
  double score;
  bool is_true;
};

/// The box that a detection overlaps most, the first of equal ones, and by how much.
struct Nearest {
  size_t box = 0;
  double overlap = -1;
};

/// Over the union of both, or over the detection's own area.
Nearest nearest_of(const std::array<double, 4>& detection, std::span<const Annotation* const> boxes, bool own_area) {
  Nearest nearest;
  for (size_t i = 0; i < boxes.size(); ++i)
    if (const double overlap = box_iou(detection, boxes[i]->bbox, own_area); overlap > nearest.overlap)
      nearest = {i, overlap};
  return nearest;
}

/// Appends the labels of one image's detections of one category, which are in order of falling score.
void label(std::span<const CocoResult* const> detections, std::span<const Annotation* const> boxes,
           std::span<const Annotation* const> groups, std::vector<Labelled>& labelled) {
  std::vector<char> taken(boxes.size());
  std::vector<double> group_scores(groups.size());
  for (const CocoResult* detection : detections) {
    const Nearest box = nearest_of(detection->bbox, boxes, /*own_area=*/false);
    const bool is_true = box.overlap >= kOverlap && taken[box.box] == 0;
    if (is_true) taken[box.box] = 1;
    const Nearest group = is_true ? Nearest{} : nearest_of(detection->bbox, groups, /*own_area=*/true);
    if (group.overlap >= kOverlap) {
      group_scores[group.box] = std::max(group_scores[group.box], detection->score);
    } else {
      labelled.push_back({detection->score, is_true});
    }
  }
  for (const double score : group_scores)
    if (score > 0) labelled.push_back({score, true});
}

/// The area under precision against recall, where precision is made to rise towards lower recalls.
double average_precision(std::vector<Labelled>& labelled, size_t objects) {
  std::ranges::stable_sort(labelled, std::greater<>(), &Labelled::score);
  std::vector<double> precision;  // at each true detection
  for (size_t i = 0; i < labelled.size(); ++i)
    if (labelled[i].is_true)
      precision.push_back(static_cast<double>(precision.size() + 1) / static_cast<double>(i + 1));
  for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
  return std::accumulate(precision.begin(), precision.end(), 0.0) / static_cast<double>(objects);
}

/// With each box once more for every category above its own.
GroundTruth expanded(const GroundTruth& dataset, const Ancestors& above) {
  GroundTruth all = dataset;
  for (const Annotation& annotation : dataset.annotations) {
    const auto ancestors = above.find(annotation.category_id);
    if (ancestors == above.end()) continue;
    for (const int64_t category : ancestors->second) {
      all.annotations.push_back(annotation);
      all.annotations.back().category_id = category;
    }
  }
  return all;
}

class OpenImagesRun {
 public:
  OpenImagesRun(const GroundTruth& dataset, std::span<const CocoResult> results, const CocoParams& params)
      : dataset_(dataset), results_(results), groups_(group_pairs(params, dataset, results)) {
    pairs_.resize(groups_.num_categories());
    for (size_t pair = 0; pair < groups_.num_pairs(); ++pair) pairs_[groups_.pairs[pair].category].push_back(pair);
  }

  void evaluate(size_t index, OpenImagesCategory& category) const {
    std::vector<Labelled> labelled;
    for (const size_t pair : pairs_[index]) add_pair(pair, category, labelled);
    if (category.objects > 0) category.ap = average_precision(labelled, category.objects);
  }

 private:
  void add_pair(size_t pair, OpenImagesCategory& category, std::vector<Labelled>& labelled) const {
    const CocoPair &here = groups_.pairs[pair], &next = groups_.pairs[pair + 1];
    std::vector<const Annotation*> boxes, groups;
    for (uint32_t i = here.objects; i < next.objects; ++i) {
      const Annotation& annotation = dataset_.annotations[groups_.objects[i]];
      (annotation.is_crowd ? groups : boxes).push_back(&annotation);
    }
    category.objects += boxes.size() + groups.size();
    std::vector<const CocoResult*> detections;
    for (uint32_t i = here.detections; i < next.detections; ++i) {
      const CocoResult& result = results_[groups_.detections[i]];
      if (result.bbox[2] > 0 && result.bbox[3] > 0) detections.push_back(&result);
    }
    if (detections.empty() || (boxes.empty() && groups.empty() && !was_searched(*detections[0]))) return;
    category.detections += detections.size();
    std::ranges::stable_sort(detections, std::greater<>(), &CocoResult::score);
    label(detections, boxes, groups, labelled);
  }

  bool was_searched(const CocoResult& result) const {
    const auto& categories = dataset_.find_image(result.image_id)->absent_categories;
    return std::ranges::find(categories, result.category_id) != categories.end();
  }

  const GroundTruth& dataset_;
  std::span<const CocoResult> results_;
  CocoGroups groups_;
  std::vector<std::vector<size_t>> pairs_;  ///< of each category, in order of images
};

}  // namespace

OpenImagesEvaluation evaluate_open_images(const GroundTruth& dataset, const Ancestors& ancestors,
                                          std::span<const CocoResult> results, ThreadPool* pool) {
  CocoParams params = CocoParams::all_of(dataset);
  params.settle();
  const GroundTruth all = expanded(dataset, ancestors);
  const OpenImagesRun run(all, results, params);
  OpenImagesEvaluation evaluation;
  for (const int64_t id : params.category_ids) evaluation.categories.push_back({.id = id});
  const auto evaluate = [&](int64_t k, int) {
    run.evaluate(static_cast<size_t>(k), evaluation.categories[static_cast<size_t>(k)]);
  };
  ThreadPool alone(1);
  (pool != nullptr ? *pool : alone).parallel_for(static_cast<int64_t>(evaluation.categories.size()), evaluate);
  double sum = 0, count = 0;
  for (const OpenImagesCategory& category : evaluation.categories) {
    evaluation.num_detections += category.detections;
    if (category.objects == 0) continue;
    sum += category.ap;
    ++count;
  }
  if (count > 0) evaluation.mean_ap = sum / count;
  return evaluation;
}

}  // namespace effdet::eval
