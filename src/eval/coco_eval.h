// The twelve COCO numbers, equal to those of pycocotools.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/coco_dataset.h"
#include "eval/coco_results.h"

namespace effdet::eval {

/// Average precision of one category over IoU 0.50:0.95, all areas, at most 100 detections an image; -1 where the
/// images hold no object of it.
struct CategoryAp {
  int64_t category_id;
  double ap;
};

struct CocoEvaluation {
  /// In the order of pycocotools' stats: AP, AP50, AP75, AP small, medium, large, AR for 1, 10, 100 detections an
  /// image, AR small, medium, large. -1 where there is nothing to find.
  std::array<double, 12> stats;
  /// In rising order of category ids.
  std::vector<CategoryAp> categories;
};

/// Evaluates boxes on the given images, as pycocotools 2.0.11's COCOeval with iouType "bbox" and params.imgIds =
/// image_ids: the same numbers, bit for bit. Results on other images and of categories that the data set does not have
/// are passed over; no results at all give zeros. Throws Error(kUnsupported) above 10,000 categories.
CocoEvaluation evaluate_coco(const GroundTruth& dataset, std::span<const CocoResult> results,
                             std::span<const int64_t> image_ids);

/// The twelve lines that pycocotools' summarize() prints, without line ends.
std::vector<std::string> summary_lines(const std::array<double, 12>& stats);

}  // namespace effdet::eval
