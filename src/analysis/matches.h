// Which detections find which objects, at one IoU threshold: what all numbers of the analysis are made of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "eval/coco_groups.h"
#include "eval/coco_match.h"
#include "eval/coco_params.h"
#include "eval/coco_results.h"
#include "eval/ground_truth.h"

namespace effdet::analysis {

enum class Verdict : uint8_t {
  kTruePositive,
  kFalsePositive,
  kIgnored,      ///< by COCO: lies in a crowd or another object that does not count, or has another size
  kBeyondLimit,  ///< of its image and category, more than the largest number of detections are better
};

/// One image: its objects in order of category and file, its detections in order of category and falling score.
struct ImageContent {
  struct Object {
    const eval::Annotation* annotation;
    uint32_t category;
    bool counts;         ///< is to be found: no crowd, and of the first area range
    double found_score;  ///< of the detection that finds it; NaN where none does
    bool is_found_at(double threshold) const { return found_score >= threshold; }
  };
  struct Detection {
    const eval::CocoResult* result;
    uint32_t category;
    Verdict verdict;
  };
  std::vector<Object> objects;
  std::vector<Detection> detections;
};

/// All pairs of image and category, matched as COCOeval does in the first area range. Takes 17 bytes a result and 12 an
/// object.
class Matches {
 public:
  /// Precondition: params are settled. All arguments but the pool must outlive the object.
  Matches(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results, const eval::CocoParams& params,
          double iou_threshold, ThreadPool& pool);

  /// Images that hold anything, in order of their ids.
  size_t num_images() const { return first_pairs_.size() - 1; }
  size_t num_categories() const { return groups_.num_categories(); }
  const eval::CocoParams& params() const { return params_; }
  const eval::GroundTruth& dataset() const { return dataset_; }

  int64_t image_id(size_t image) const;
  /// Fills in an image's objects and detections, and keeps the vectors' memory.
  void read(size_t image, ImageContent& content) const;

  /// Objects of a category that are to be found.
  size_t num_objects(size_t category) const { return num_objects_[category]; }
  /// Of each detection, by category: score and verdict. Those of category k are the places from first_place(k) to
  /// first_place(k + 1).
  std::span<const double> scores() const { return scores_; }
  std::span<const Verdict> verdicts() const { return verdicts_; }
  size_t first_place(size_t category) const { return groups_.category_places[category]; }

 private:
  struct Scratch;
  bool counts(const eval::Annotation& annotation) const;
  void match_pair(size_t pair, Scratch& scratch);
  void rank(size_t pair, Scratch& scratch);

  const eval::GroundTruth& dataset_;
  std::span<const eval::CocoResult> results_;
  const eval::CocoParams& params_;
  eval::CocoGroups groups_;
  std::vector<uint32_t> first_pairs_;  ///< of each image; one more at the end
  std::vector<size_t> num_objects_;    ///< of each category
  std::vector<double> scores_;         ///< by place
  std::vector<Verdict> verdicts_;      ///< by place
  std::vector<double> found_scores_;   ///< of each object in groups_.objects; NaN: not found
};

}  // namespace effdet::analysis
