// What explains an evaluation: curves over score thresholds, confused categories, calibration of scores, suspected
// label errors, the worst images, sizes of objects.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace effdet {

/// Numbers out of range are Error(kUsage).
struct AnalysisOptions {
  double iou_threshold = 0.5;  ///< at which a detection finds an object; above 0, at most 1
  /// Detections with at least this score are what a user of the model would see: confusions, label errors and worst
  /// images are of these. Empty: the threshold at which F1 over all categories is best; 0.5 where nothing is found.
  std::optional<double> score_threshold = {};
  size_t curve_points = 101;      ///< of curves over score thresholds; 2 to 10,001
  size_t calibration_bins = 10;   ///< 1 to 1000
  size_t max_confusions = 20;     ///< pairs of categories that are listed
  size_t max_label_errors = 100;  ///< of each kind
  size_t max_images = 24;         ///< that are listed as the worst
  size_t max_boxes = 300;         ///< of each of them
  /// Where sizes of objects are divided: square roots of areas, in pixels, rising. COCO's are 32 and 96.
  std::vector<double> object_sides = {8, 16, 32, 64, 96, 192, 384};
};

/// Detections with at least the score `threshold`, and what they find.
struct OperatingPoint {
  double threshold = 0;
  size_t true_positives = 0, false_positives = 0;
  size_t false_negatives = 0;  ///< objects that are not found
  double precision = -1;       ///< TP / (TP + FP); -1 without detections
  double recall = -1;          ///< TP / (TP + FN); -1 without objects
  double f1 = -1;              ///< 2 TP / (2 TP + FP + FN), which is their harmonic mean; -1 without both
};

/// Precision, recall and F1 at each of EvaluationAnalysis::thresholds; -1 as in OperatingPoint.
struct ScoreCurve {
  std::vector<double> precision, recall, f1;
  OperatingPoint chosen;  ///< at EvaluationAnalysis::score_threshold
  /// Where F1 is largest, of all scores that occur, not only those of the curve; the highest of equal ones. Empty where
  /// nothing is found.
  std::optional<OperatingPoint> best;
};

/// A reliability diagram and what it comes to (Guo et al., "On Calibration of Modern Neural Networks", 2017), with
/// precision for accuracy, as detectors have it (Küppers et al., "Multivariate Confidence Calibration for Object
/// Detection", 2020, of confidence alone). Detections with any score in [0, 1] count.
struct Calibration {
  struct Bin {
    size_t count = 0;       ///< detections with a score in (low, high]; 0 is in the first bin
    double mean_score = 0;  ///< 0 where there is none
    double precision = 0;   ///< the share of them that finds an object; 0 where there is none
  };
  std::vector<Bin> bins;  ///< of equal width, from 0 to 1
  double ece = -1;        ///< expected calibration error: mean of |precision - mean score| over detections; -1 for none
  double mce = -1;        ///< maximum calibration error: the largest of |precision - mean score|; -1 for none
  size_t outside = 0;     ///< detections with a score outside [0, 1], which do not count
};

/// What there is about all categories, or about one.
struct CategoryAnalysis {
  ScoreCurve curve;  ///< of all: counts of all categories are added up (micro average)
  Calibration calibration;
};

/// Precision against recall, as pycocotools' COCOeval.eval["precision"] at the largest number of detections.
struct PrecisionCurves {
  std::vector<double> iou_thresholds, recall_thresholds;
  std::vector<std::string> areas;  ///< labels of the area ranges; the first is that of all sizes
  size_t num_categories = 0;
  std::vector<double> values;  ///< [categories, areas, IoU thresholds, recall thresholds]; -1 without objects

  /// Arguments are indices.
  double at(size_t category, size_t area, size_t iou, size_t recall) const {
    return values[((category * areas.size() + area) * iou_thresholds.size() + iou) * recall_thresholds.size() + recall];
  }
  /// Precision at each recall threshold: the mean over categories with objects; empty where none has. Indices.
  std::vector<double> mean(size_t area, size_t iou) const {
    std::vector<double> sums(recall_thresholds.size());
    size_t count = 0;
    for (size_t k = 0; k < num_categories; ++k) {
      if (sums.empty() || at(k, area, iou, 0) < 0) continue;
      ++count;
      for (size_t r = 0; r < sums.size(); ++r) sums[r] += at(k, area, iou, r);
    }
    for (double& sum : sums) sum /= static_cast<double>(count);
    return count == 0 ? std::vector<double>() : sums;
  }
};

/// Which categories are taken for which, as Ultralytics' ConfusionMatrix (YOLOv5, YOLOv8) counts it: pairs of an object
/// and a detection of any category whose IoU reaches the threshold; of each detection the pair with the largest IoU is
/// kept, then of each object. (There IoU and score must exceed the thresholds, here they may be equal.) Objects without
/// a pair are taken for background, and so is background for the detections without one. Objects that COCO ignores
/// (crowds, other sizes than the first area range) and detections that it ignores take no part.
struct ConfusionMatrix {
  struct Cell {
    size_t actual = 0, predicted = 0;  ///< index of a category; num_categories is background
    size_t count = 0;
  };
  size_t num_categories = 0;
  std::vector<Cell> cells;  ///< those that are not 0, by actual, then by predicted: of 1,200 categories few meet
  std::vector<Cell> most_confused;  ///< of two different categories, without background: the largest counts first

  /// Arguments are indices; num_categories is background.
  size_t count(size_t actual, size_t predicted) const {
    const auto found = std::lower_bound(cells.begin(), cells.end(), std::pair(actual, predicted),
                                        [](const Cell& cell, const std::pair<size_t, size_t>& wanted) {
                                          return std::pair(cell.actual, cell.predicted) < wanted;
                                        });
    return found != cells.end() && found->actual == actual && found->predicted == predicted ? found->count : 0;
  }
};

/// An image of the data set.
struct AnalysedImage {
  std::string id;  ///< as JSON has it: a number, or a string in quotes
  std::string file_name;
  int width = 0, height = 0;  ///< in pixels; 0 where the annotations do not tell
};

/// A place where the annotations may be wrong rather than the model. The idea is that of ObjectLab (Tkachenko et al.,
/// 2023: overlooked and swapped objects), ranked by the plain score.
struct LabelError {
  AnalysedImage image;
  std::array<double, 4> box{};  ///< left, top, width, height in pixels: the detection's, or the object's if never found
  size_t category = 0;          ///< index of that box's category
  double score = -1;            ///< of the detection
  size_t labelled = 0;          ///< index of the category that the overlapped object has; for wrong categories
  double iou = 0;               ///< the largest with an object
};
struct LabelErrors {
  /// False positives that overlap no object or crowd of any category (IoU below 0.1, TIDE's threshold of background):
  /// an object that nobody has labelled. Highest scores first.
  std::vector<LabelError> missing_boxes;
  /// False positives that overlap an object of another category (IoU of at least iou_threshold), which no detection of
  /// its own category with at least that score finds. Highest scores first.
  std::vector<LabelError> wrong_categories;
  /// Objects that no detection of any category and score overlaps (IoU below 0.1). Largest areas first.
  std::vector<LabelError> never_found;
  /// How many there are, listed or not.
  size_t num_missing_boxes = 0, num_wrong_categories = 0, num_never_found = 0;
};

/// An image with its errors, to be drawn.
struct WorstImage {
  enum class Kind {
    kTruePositive,   ///< a detection that finds an object
    kFalsePositive,  ///< a detection that finds none
    kFalseNegative,  ///< an object that is not found
    kFound,          ///< an object that is found
    kIgnored,        ///< a crowd, or an object of other sizes: a region where detections do not count
  };
  struct Box {
    Kind kind = Kind::kTruePositive;
    std::array<double, 4> box{};  ///< left, top, width, height in pixels
    size_t category = 0;          ///< index
    double score = -1;            ///< of a detection
  };
  AnalysedImage image;
  size_t true_positives = 0, false_positives = 0, false_negatives = 0;
  double f1 = -1;  ///< as OperatingPoint
  /// Objects in order of the annotations, then detections by category, highest scores first; without detections that
  /// COCO ignores. Cut after max_boxes.
  std::vector<Box> boxes;
  size_t boxes_left_out = 0;
};

/// Objects of one size, with COCO's numbers for them: AP and AR over the IoU thresholds at the largest number of
/// detections.
struct SizeBucket {
  double low_side = 0, high_side = 0;  ///< square root of the area in pixels, in [low, high); the last high: infinity
  size_t objects = 0;                  ///< that count in the first area range, too
  size_t found = 0;                    ///< of these, at iou_threshold and score_threshold
  double ap = -1, ar = -1;             ///< -1 without objects
};

/// What explains an evaluation. It is of the evaluation's images, categories and largest number of detections, and
/// detections are matched as COCOeval does at iou_threshold in the first area range: of each image and category, best
/// score first, to the free object with the largest IoU. What COCOeval ignores - crowds and objects of other sizes,
/// detections that lie in them, unmatched detections of other sizes - is neither right nor wrong. (An annotation whose
/// id is 0 can be found here; pycocotools counts it as never found.) Categories are indices in Evaluation::categories.
/// Nothing depends on the number of threads.
struct EvaluationAnalysis {
  double iou_threshold = 0.5, score_threshold = 0;
  bool is_best_threshold = false;  ///< whether score_threshold is that of the best F1
  /// Of the curves, rising in equal steps: from 0 to 1, or further where scores lie outside.
  std::vector<double> thresholds;
  CategoryAnalysis all;
  std::vector<CategoryAnalysis> categories;
  PrecisionCurves precision;
  ConfusionMatrix confusion;
  LabelErrors label_errors;
  std::vector<WorstImage> worst_images;  ///< most false positives and negatives first, of equal ones the lowest F1
  std::vector<SizeBucket> sizes;
};

}  // namespace effdet
