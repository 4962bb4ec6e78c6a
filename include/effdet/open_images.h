// Evaluation by the rules of the Open Images challenge.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "effdet/dataset.h"
#include "effdet/export.h"

namespace effdet {

struct OpenImagesOptions {
  DataSource data;                ///< in the format of Open Images; its format is not looked at
  std::filesystem::path results;  ///< COCO results, as validate writes them for these data
  /// The hierarchy of classes (bbox_labels_600_hierarchy.json), and image-level labels that people checked
  /// (validation-annotations-human-imagelabels-boxable.csv); empty: those that lie beside the annotations, if any.
  std::filesystem::path hierarchy = {}, image_labels = {};
};

/// AP at IoU 0.5 is the area under the whole precision-recall curve.
struct OpenImagesReport {
  struct Category {
    std::string name;
    double ap = -1;                      ///< -1 without objects
    size_t objects = 0, detections = 0;  ///< boxes, groups among them; detections that were evaluated
  };
  double mean_ap = -1;               ///< over the categories with objects
  std::vector<Category> categories;  ///< in the order of the file of classes
  size_t images = 0, detections = 0;
  std::vector<std::string> notes;  ///< what was left out and what was not there, a line each
};

/// Evaluates results as TensorFlow's OpenImagesDetectionChallengeEvaluator does (to 1e-12, but for equal scores, whose
/// order it leaves open): a group counts once, detections of classes that an image was not checked for do not count,
/// boxes count for the classes above theirs, too. threads: 0 for EFFDET_NUM_THREADS or all cores. Throws as reading the
/// data set and the results does; Error(kBadInput) with file and line for labels and hierarchies that make no sense.
EFFDET_API OpenImagesReport evaluate_open_images(const OpenImagesOptions& options, int threads = 0);

}  // namespace effdet
