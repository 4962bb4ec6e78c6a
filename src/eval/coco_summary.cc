// Means over the arrays with numpy's order of additions, which decides the last bits.
#include "eval/coco_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace effdet::eval {
namespace {

/// numpy's sum of a float64 array: blocks of 128 with eight running sums, halves above that.
double pairwise_sum(std::span<const double> values) {
  const size_t count = values.size();
  if (count < 8) {
    double sum = 0;
    for (double value : values) sum += value;
    return sum;
  }
  if (count > 128) {
    const size_t half = count / 2 - count / 2 % 8;
    return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
  }
  std::array<double, 8> sums{};
  std::copy_n(values.begin(), 8, sums.begin());
  size_t i = 8;
  for (; i < count - count % 8; i += 8) {
    for (size_t j = 0; j < 8; ++j) sums[j] += values[i + j];
  }
  double sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  for (; i < count; ++i) sum += values[i];
  return sum;
}

/// The mean of the values, or -1 for none.
double mean_of(const std::vector<double>& values) {
  return values.empty() ? -1 : pairwise_sum(values) / static_cast<double>(values.size());
}

/// Which part of an array a mean is over.
struct Selection {
  size_t area = 0;
  double iou = -1;  ///< the only threshold; negative: all
  size_t first_category = 0, num_categories = 0;
};

class CocoSums {
 public:
  explicit CocoSums(const CocoEvaluation& evaluation) : params_(evaluation.params), arrays_(evaluation.arrays) {}

  double average_precision(const Selection& selection) const {
    const std::vector<size_t> categories = categories_with_objects(selection);
    std::vector<double> values;
    for_each_threshold(selection.iou, [&](size_t t) {
      const size_t begin = values.size();
      values.resize(begin + arrays_.recalls * categories.size());
      copy_precision(t, selection.area, categories, values.data() + begin);
    });
    return mean_of(values);
  }

  double average_recall(const Selection& selection, size_t limit) const {
    std::vector<double> set;
    for_each_threshold(selection.iou, [&](size_t t) {
      for (size_t k = 0; k < selection.num_categories; ++k)
        add_set(arrays_.recall[arrays_.recall_index(t, selection.first_category + k, selection.area, limit)], set);
    });
    return mean_of(set);
  }

 private:
  /// Those whose precision is set, which it is at all thresholds or at none.
  std::vector<size_t> categories_with_objects(const Selection& selection) const {
    std::vector<size_t> categories;
    for (size_t k = selection.first_category; k < selection.first_category + selection.num_categories; ++k)
      if (arrays_.precision[precision_index(0, 0, k, selection.area)] > -1) categories.push_back(k);
    return categories;
  }

  size_t precision_index(size_t t, size_t r, size_t k, size_t a) const {
    return arrays_.precision_index(t, r, k, a, arrays_.precision_limits - 1);
  }

  /// values: [R, categories]. A line of the cache is read whole before the next one.
  void copy_precision(size_t t, size_t area, std::span<const size_t> categories, double* values) const {
    constexpr size_t kBlock = 8;
    for (size_t first = 0; first < arrays_.recalls; first += kBlock) {
      const size_t end = std::min(first + kBlock, arrays_.recalls);
      for (size_t i = 0; i < categories.size(); ++i)
        for (size_t r = first; r < end; ++r)
          values[r * categories.size() + i] = arrays_.precision[precision_index(t, r, categories[i], area)];
    }
  }

  static void add_set(double value, std::vector<double>& set) {
    if (value > -1) set.push_back(value);
  }

  template <typename Function>
  void for_each_threshold(double iou, Function function) const {
    for (size_t t = 0; t < arrays_.thresholds; ++t)
      if (iou < 0 || params_.iou_thresholds[t] == iou) function(t);
  }

  const CocoParams& params_;
  const CocoArrays& arrays_;
};

/// The lines of a summary, in pycocotools' words.
class SummaryWriter {
 public:
  explicit SummaryWriter(const CocoEvaluation& evaluation)
      : sums_(evaluation), params_(evaluation.params), num_categories_(evaluation.arrays.categories) {}

  void add_precision(std::string name, size_t area, double iou) {
    const double value = sums_.average_precision({area, iou, 0, num_categories_});
    add(std::move(name), "Average Precision", "(AP)", area, iou, params_.max_detections.back(), value);
  }

  void add_recall(std::string name, size_t area, size_t limit) {
    const double value = sums_.average_recall({area, -1, 0, num_categories_}, limit);
    add(std::move(name), "Average Recall", "(AR)", area, -1, params_.max_detections[limit], value);
  }

  std::vector<CocoMetric> take() { return std::move(metrics_); }

 private:
  void add(std::string name, const char* title, const char* type, size_t area, double iou, size_t limit, double value) {
    const std::string thresholds =
        iou < 0 ? fmt::format("{:0.2f}:{:0.2f}", params_.iou_thresholds.front(), params_.iou_thresholds.back())
                : fmt::format("{:0.2f}", iou);
    metrics_.push_back({std::move(name), value,
                        fmt::format(" {:<18} {} @[ IoU={:<9} | area={:>6s} | maxDets={:>3d} ] = {:0.3f}", title, type,
                                    thresholds, params_.area_ranges[area].label, limit, value)});
  }

  CocoSums sums_;
  const CocoParams& params_;
  size_t num_categories_;
  std::vector<CocoMetric> metrics_;
};

}  // namespace

std::vector<CocoMetric> summarize(const CocoEvaluation& evaluation) {
  const CocoParams& params = evaluation.params;
  SummaryWriter writer(evaluation);
  writer.add_precision("AP", 0, -1);
  writer.add_precision("AP50", 0, 0.5);
  writer.add_precision("AP75", 0, 0.75);
  for (size_t a = 1; a < params.area_ranges.size(); ++a)
    writer.add_precision("AP_" + params.area_ranges[a].label, a, -1);
  for (size_t m = 0; m < params.max_detections.size(); ++m)
    writer.add_recall(fmt::format("AR{}", params.max_detections[m]), 0, m);
  for (size_t a = 1; a < params.area_ranges.size(); ++a)
    writer.add_recall("AR_" + params.area_ranges[a].label, a, params.max_detections.size() - 1);
  return writer.take();
}

std::vector<CocoCategory> summarize_categories(const CocoEvaluation& evaluation) {
  const CocoParams& params = evaluation.params;
  const CocoSums sums(evaluation);
  std::vector<CocoCategory> categories;
  for (size_t k = 0; k < evaluation.arrays.categories; ++k) {
    CocoCategory category{.id = params.use_categories ? params.category_ids[k] : -1,
                          .objects = evaluation.category_objects[k],
                          .detections = evaluation.category_detections[k],
                          .ap = sums.average_precision({0, -1, k, 1}),
                          .ap50 = sums.average_precision({0, 0.5, k, 1}),
                          .ap75 = sums.average_precision({0, 0.75, k, 1}),
                          .ar = sums.average_recall({0, -1, k, 1}, params.max_detections.size() - 1),
                          .area_ap = {}};
    for (size_t a = 1; a < params.area_ranges.size(); ++a)
      category.area_ap.push_back(sums.average_precision({a, -1, k, 1}));
    categories.push_back(std::move(category));
  }
  return categories;
}

}  // namespace effdet::eval
