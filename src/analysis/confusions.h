// Which categories are taken for which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/image_overlaps.h"
#include "analysis/matches.h"
#include "effdet/evaluation_analysis.h"

namespace effdet::analysis {

/// One object, detection, or pair of both, as the confusion matrix counts it; the number of categories is background.
struct Confused {
  uint32_t actual, predicted;
  auto operator<=>(const Confused&) const = default;
};

/// Appends what is to be counted of an image: see effdet::ConfusionMatrix.
void add_confusions(const ImageContent& image, const ImageOverlaps& overlaps, double iou_threshold,
                    double score_threshold, uint32_t background, std::vector<Confused>& confusions);

ConfusionMatrix confusion_matrix(std::vector<Confused> confusions, size_t num_categories, size_t max_pairs);

}  // namespace effdet::analysis
