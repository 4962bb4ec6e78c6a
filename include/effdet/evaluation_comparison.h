// Two results on the same images: what differs, and how sure that is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "effdet/evaluation_analysis.h"

namespace effdet {

/// Numbers out of range are Error(kUsage).
struct ComparisonOptions {
  std::filesystem::path against;  ///< COCO results of the same data set, to compare with
  size_t resamples = 1000;        ///< of the images, for the intervals; 1 to 100,000
  uint64_t seed = 0;              ///< of the resamples
  double iou_threshold = 0.5;  ///< at which a detection finds an object in the images that changed; above 0, at most 1
  /// Detections with at least this score count in the images that changed. Empty: for either file the threshold at
  /// which its F1 over all categories is best; 0.5 where nothing is found.
  std::optional<double> score_threshold = {};
  size_t max_categories = 100;  ///< that are listed as changed most
  size_t max_images = 24;       ///< likewise
  size_t max_boxes = 100;       ///< of each of them
};

/// A number of both results, and their difference with a 95 % confidence interval.
///
/// The interval is the percentile interval of the paired bootstrap (Efron and Tibshirani, "An Introduction to the
/// Bootstrap", 1993, chapter 13): as many images as there are are drawn with replacement, the same for both results,
/// and both are evaluated on them as if each draw were an image of its own; the interval lies between the 2.5th and the
/// 97.5th percentile of the differences (between two of them by linear interpolation: type 7 of Hyndman and Fan, 1996).
struct ComparedNumber {
  double value = -1, other = -1;  ///< of the results and of those that they are compared with; -1 if not defined
  /// value - other, and the interval's ends; NaN if not defined.
  double difference = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();
  /// Share of the resamples where the difference is above 0, and half of those where it is 0; NaN if not defined.
  double better = std::numeric_limits<double>::quiet_NaN();
  size_t resamples = 0;  ///< in which the number is defined: a rare category is missing in some

  /// Whether the images do not tell which of the two is better; false if not defined.
  bool includes_zero() const { return low <= 0 && high >= 0; }
};

/// An image of which other objects are found, or other false positives.
struct ChangedImage {
  struct Counts {
    size_t true_positives = 0, false_positives = 0, false_negatives = 0;
    size_t errors() const { return false_positives + false_negatives; }
  };
  /// What only one of the two has.
  struct Box {
    enum class Kind {
      kFound,               ///< an object that the results alone find
      kLost,                ///< an object that only the others find
      kFalsePositive,       ///< a detection of the results that finds no object; the others have none there
      kOtherFalsePositive,  ///< the same of the others
    };
    Kind kind = Kind::kFound;
    std::array<double, 4> box{};  ///< left, top, width, height in pixels
    size_t category = 0;          ///< index
    double score = -1;            ///< of a detection
  };
  AnalysedImage image;
  Counts counts, other;
  size_t found = 0, lost = 0;  ///< objects that the results alone find, and that only the others find
  /// Objects in order of the annotations, then false positives that no false positive of the other file overlaps (of
  /// its category, at the IoU threshold), highest scores of a category first. Cut after max_boxes.
  std::vector<Box> boxes;
  size_t boxes_left_out = 0;
};

/// Matching is that of EvaluationAnalysis. Nothing depends on the number of threads.
struct EvaluationComparison {
  struct Metric {
    std::string name;  ///< as in Evaluation::metrics
    ComparedNumber number;
  };
  struct Category {
    ComparedNumber ap, ap50, ap75, ar;
    std::vector<ComparedNumber> area_ap;  ///< as Evaluation::CategoryAp::area_ap
    size_t other_detections = 0;
  };
  std::string against;          ///< the file
  size_t other_detections = 0;  ///< of it, in the images that were evaluated
  size_t resamples = 0;
  uint64_t seed = 0;
  std::vector<Metric> metrics;
  std::vector<Category> categories;        ///< as Evaluation::categories
  std::vector<size_t> changed_categories;  ///< indices of those whose AP changed, most first; of equal ones in order
  size_t num_changed_categories = 0;       ///< listed or not
  double iou_threshold = 0.5, score_threshold = 0, other_score_threshold = 0;  ///< of the images
  /// Those whose number of errors (false positives and negatives) changed most first; of equal ones those where more
  /// objects were found or lost, then in order of their ids.
  std::vector<ChangedImage> changed_images;
  size_t num_changed_images = 0;  ///< listed or not
};

}  // namespace effdet
