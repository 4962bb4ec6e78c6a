// The summary of all categories and of each.
#include "eval/coco_summary.h"

#include <fmt/format.h>

#include "eval/coco_sums.h"

namespace effdet::eval {
namespace {

/// The lines of a summary, in pycocotools' words.
class SummaryWriter {
 public:
  explicit SummaryWriter(const CocoEvaluation& evaluation)
      : sums_(evaluation), params_(evaluation.params), categories_(all_categories(evaluation.arrays.categories)) {}

  void add_precision(std::string name, size_t area, double iou) {
    const double value = sums_.average_precision({area, iou, categories_});
    add(std::move(name), "Average Precision", "(AP)", area, iou, params_.max_detections.back(), value);
  }

  void add_recall(std::string name, size_t area, size_t limit) {
    const double value = sums_.average_recall({area, -1, categories_}, limit);
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
  std::vector<size_t> categories_;
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
  for (const size_t k : all_categories(evaluation.arrays.categories)) {
    const std::span<const size_t> only(&k, 1);
    CocoCategory category{.id = params.use_categories ? params.category_ids[k] : -1,
                          .objects = evaluation.category_objects[k],
                          .detections = evaluation.category_detections[k],
                          .ap = sums.average_precision({0, -1, only}),
                          .ap50 = sums.average_precision({0, 0.5, only}),
                          .ap75 = sums.average_precision({0, 0.75, only}),
                          .ar = sums.average_recall({0, -1, only}, params.max_detections.size() - 1),
                          .area_ap = {}};
    for (size_t a = 1; a < params.area_ranges.size(); ++a)
      category.area_ap.push_back(sums.average_precision({a, -1, only}));
    categories.push_back(std::move(category));
  }
  return categories;
}

}  // namespace effdet::eval
