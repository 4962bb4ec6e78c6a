// Places where the annotations may be wrong rather than the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/image_overlaps.h"
#include "analysis/matches.h"
#include "effdet/evaluation_analysis.h"

namespace effdet::analysis {

/// A suspicion, small enough to keep all of them until the worst are known.
struct Suspect {
  double weight;  ///< the score, or the object's area; the largest are listed first
  double iou;
  const eval::CocoResult* detection;   ///< null for an object that was never found
  const eval::Annotation* annotation;  ///< that object, or the one of another category; null for a missing box
  uint32_t category, labelled;
};
struct Suspects {
  std::vector<Suspect> missing_boxes, wrong_categories, never_found;
};

/// Appends those of an image: see effdet::LabelErrors.
void add_suspects(const ImageContent& image, const ImageOverlaps& overlaps, double iou_threshold,
                  double score_threshold, Suspects& suspects);

/// The worst of them, at most "most" of each kind; equal ones in their order.
LabelErrors label_errors(Suspects suspects, const eval::GroundTruth& dataset, size_t most);

/// An image in the public form.
AnalysedImage analysed_image(const eval::GroundTruth& dataset, int64_t id);

}  // namespace effdet::analysis
