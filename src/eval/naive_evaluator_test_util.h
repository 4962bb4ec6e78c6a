// COCO's evaluation by the shortest code that follows its definition: the oracle of tests and of the fuzzer.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "eval/coco_accumulate.h"
#include "eval/coco_results.h"

namespace effdet::eval {

/// The evaluation by its definition: one threshold, one area, one category and one image at a time.
class NaiveEvaluator {
 public:
  NaiveEvaluator(const GroundTruth& dataset, const std::vector<CocoResult>& results, const CocoParams& params)
      : dataset_(dataset), results_(results), params_(params), arrays_(params, true) {}

  CocoArrays run() {
    for (size_t t = 0; t < arrays_.thresholds; ++t)
      for (size_t k = 0; k < arrays_.categories; ++k)
        for (size_t a = 0; a < arrays_.areas; ++a)
          for (size_t m = 0; m < arrays_.limits; ++m) evaluate(t, k, a, m);
    return arrays_;
  }

 private:
  struct Found {
    double score;
    bool is_true, is_ignored;
  };

  static double iou(const Annotation& object, const CocoResult& result) {
    const auto &g = object.bbox, &d = result.bbox;
    const double w = std::min(d[2] + d[0], g[2] + g[0]) - std::max(d[0], g[0]);
    const double h = std::min(d[3] + d[1], g[3] + g[1]) - std::max(d[1], g[1]);
    if (w <= 0 || h <= 0) return 0;
    return w * h / (object.is_crowd ? d[2] * d[3] : d[2] * d[3] + g[2] * g[3] - w * h);
  }

  template <typename Item>
  std::vector<Item> select(const std::vector<Item>& items, int64_t image, size_t k) const {
    std::vector<Item> selected;
    for (size_t c = 0; c < params_.category_ids.size(); ++c)
      for (const Item& item : items)
        if (item.image_id == image && item.category_id == params_.category_ids[c] &&
            (!params_.use_categories || c == k))
          selected.push_back(item);
    return selected;
  }

  bool is_ignored(const Annotation& object, size_t a) const {
    return object.is_crowd || !params_.area_ranges[a].contains(object.area);
  }

  /// The object that a detection gets, or -1.
  int match(const std::vector<Annotation>& objects, const std::vector<bool>& taken, const CocoResult& result, size_t t,
            size_t a) const {
    for (const bool ignored : {false, true}) {
      int best = -1;
      double best_iou = std::min(params_.iou_thresholds[t], 1 - 1e-10);
      for (size_t o = 0; o < objects.size(); ++o) {
        if (is_ignored(objects[o], a) != ignored || (taken[o] && !objects[o].is_crowd)) continue;
        if (iou(objects[o], result) < best_iou) continue;
        best_iou = iou(objects[o], result);
        best = static_cast<int>(o);
      }
      if (best >= 0) return best;
    }
    return -1;
  }

  void evaluate(size_t t, size_t k, size_t a, size_t m) {
    std::vector<Found> found;
    size_t num_objects = 0;
    for (const int64_t image : params_.image_ids) {
      const auto objects = select(dataset_.annotations, image, k);
      auto results = select(results_, image, k);
      std::stable_sort(results.begin(), results.end(), [](auto& x, auto& y) { return x.score > y.score; });
      results.resize(std::min(results.size(), params_.max_detections[m]));
      std::vector<bool> taken(objects.size());
      for (const Annotation& object : objects) num_objects += is_ignored(object, a) ? 0 : 1;
      for (const CocoResult& result : results) {
        const int best = match(objects, taken, result, t, a);
        const bool is_outside = !params_.area_ranges[a].contains(result.bbox[2] * result.bbox[3]);
        Found entry{result.score, false, is_outside};
        if (best >= 0) {
          const Annotation& object = objects[static_cast<size_t>(best)];
          taken[static_cast<size_t>(best)] = true;
          entry.is_true = object.id != 0;
          entry.is_ignored = is_ignored(object, a) || (object.id == 0 && is_outside);
        }
        found.push_back(entry);
      }
    }
    if (num_objects > 0) accumulate(std::move(found), static_cast<double>(num_objects), t, k, a, m);
  }

  void accumulate(std::vector<Found> found, double num_objects, size_t t, size_t k, size_t a, size_t m) {
    std::stable_sort(found.begin(), found.end(), [](auto& x, auto& y) { return x.score > y.score; });
    std::vector<double> precision, recall;
    double true_positives = 0, false_positives = 0;
    for (const Found& entry : found) {
      if (!entry.is_ignored) ++(entry.is_true ? true_positives : false_positives);
      recall.push_back(true_positives / num_objects);
      precision.push_back(true_positives / (false_positives + true_positives + std::numeric_limits<double>::epsilon()));
    }
    for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
    arrays_.recall[arrays_.recall_index(t, k, a, m)] = recall.empty() ? 0 : recall.back();
    for (size_t r = 0; r < arrays_.recalls; ++r) {
      const auto at = static_cast<size_t>(std::lower_bound(recall.begin(), recall.end(), params_.recall_thresholds[r]) -
                                          recall.begin());
      const size_t index = arrays_.precision_index(t, r, k, a, m);
      arrays_.precision[index] = at < found.size() ? precision[at] : 0;
      arrays_.scores[index] = at < found.size() ? found[at].score : 0;
    }
  }

  const GroundTruth& dataset_;
  const std::vector<CocoResult>& results_;
  const CocoParams& params_;
  CocoArrays arrays_;
};

}  // namespace effdet::eval
