// One category and one threshold at a time, without any of the evaluator's shortcuts.
#include "naive_coco.h"

#include <algorithm>

namespace effdet::fuzz {
namespace {

using eval::Annotation;
using eval::CocoResult;

double overlap(const std::array<double, 4>& a, const Annotation& object) {
  const auto& b = object.bbox;
  const double width = std::min(a[2] + a[0], b[2] + b[0]) - std::max(a[0], b[0]);
  const double height = std::min(a[3] + a[1], b[3] + b[1]) - std::max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const double both = width * height;
  return both / (object.is_crowd ? a[2] * a[3] : a[2] * a[3] + b[2] * b[3] - both);
}

struct Verdict {
  double score;
  bool right, ignored;
};

/// The objects of an image and a category: those to be found first, as COCOeval sorts them.
std::vector<Annotation> objects_of(const eval::GroundTruth& dataset, int64_t image, int64_t category,
                                   const eval::AreaRange& range) {
  std::vector<Annotation> objects;
  for (const Annotation& annotation : dataset.annotations)
    if (annotation.image_id == image && annotation.category_id == category) objects.push_back(annotation);
  for (Annotation& object : objects) object.is_ignored = object.is_crowd || !range.contains(object.area);
  std::ranges::stable_sort(objects, {}, &Annotation::is_ignored);
  return objects;
}

/// Best first; each takes the free object that it covers best, of equal ones the last, and one to be found rather than
/// an ignored one.
void judge(std::vector<CocoResult> results, const std::vector<Annotation>& objects, double threshold,
           const eval::AreaRange& range, std::vector<Verdict>& verdicts) {
  std::vector<bool> taken(objects.size(), false);
  for (const CocoResult& result : results) {
    double best = std::min(threshold, 1 - 1e-10);
    const Annotation* found = nullptr;
    for (size_t i = 0; i < objects.size(); ++i) {
      if (taken[i] && !objects[i].is_crowd) continue;
      if (found != nullptr && !found->is_ignored && objects[i].is_ignored) break;
      const double iou = overlap(result.bbox, objects[i]);
      if (iou < best) continue;
      best = iou;
      found = &objects[i];
    }
    if (found != nullptr) taken[static_cast<size_t>(found - objects.data())] = true;
    const bool outside = !range.contains(result.bbox[2] * result.bbox[3]);
    // COCOeval marks matches by the object's id, so that number 0 is never found.
    const bool right = found != nullptr && found->id != 0;
    verdicts.push_back({result.score, right, (found != nullptr && found->is_ignored) || (!right && outside)});
  }
}

}  // namespace

std::vector<double> naive_precision(const eval::GroundTruth& dataset, const std::vector<CocoResult>& results,
                                    const eval::CocoParams& params) {
  const size_t recalls = params.recall_thresholds.size(), categories = params.category_ids.size();
  const eval::AreaRange& range = params.area_ranges.front();
  std::vector<double> precision(params.iou_thresholds.size() * recalls * categories, -1);
  for (size_t t = 0; t < params.iou_thresholds.size(); ++t) {
    for (size_t k = 0; k < categories; ++k) {
      std::vector<Verdict> verdicts;
      size_t objects_to_find = 0;
      for (const int64_t image : params.image_ids) {
        const auto objects = objects_of(dataset, image, params.category_ids[k], range);
        objects_to_find += static_cast<size_t>(std::ranges::count(objects, false, &Annotation::is_ignored));
        std::vector<CocoResult> found;
        for (const CocoResult& result : results)
          if (result.image_id == image && result.category_id == params.category_ids[k]) found.push_back(result);
        std::ranges::stable_sort(found, std::ranges::greater(), &CocoResult::score);
        if (found.size() > params.max_detections.back()) found.resize(params.max_detections.back());
        judge(std::move(found), objects, params.iou_thresholds[t], range, verdicts);
      }
      if (objects_to_find == 0) continue;
      std::ranges::stable_sort(verdicts, std::ranges::greater(), &Verdict::score);
      std::vector<double> recall, exact;
      double right = 0, wrong = 0;
      for (const Verdict& verdict : verdicts) {
        right += verdict.right && !verdict.ignored ? 1 : 0;
        wrong += !verdict.right && !verdict.ignored ? 1 : 0;
        recall.push_back(right / static_cast<double>(objects_to_find));
        exact.push_back(right / (wrong + right + 2.220446049250313e-16));
      }
      for (size_t i = exact.size(); i-- > 1;) exact[i - 1] = std::max(exact[i - 1], exact[i]);
      for (size_t r = 0; r < recalls; ++r) {
        const auto reached = std::ranges::lower_bound(recall, params.recall_thresholds[r]);
        precision[(t * recalls + r) * categories + k] =
            reached == recall.end() ? 0 : exact[static_cast<size_t>(reached - recall.begin())];
      }
    }
  }
  return precision;
}

}  // namespace effdet::fuzz
