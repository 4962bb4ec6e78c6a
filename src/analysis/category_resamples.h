// COCO's numbers of one category in several resamples at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matched_events.h"
#include "analysis/resample_weights.h"
#include "eval/coco_params.h"

namespace effdet::analysis {

/// Where a category's numbers lie in a list: AP, AP50, AP75, AP of each area range but the first, AR of each number of
/// detections, AR of each area range but the first, as eval::summarize() has them.
class NumberPlaces {
 public:
  explicit NumberPlaces(const eval::CocoParams& params)
      : areas_(params.area_ranges.size()), limits_(params.max_detections.size()) {}

  static constexpr size_t kAp = 0, kAp50 = 1, kAp75 = 2;
  size_t area_ap(size_t area) const { return 2 + area; }                         ///< area: from 1
  size_t recall(size_t limit) const { return 2 + areas_ + limit; }               ///< limit: index
  size_t area_recall(size_t area) const { return 1 + areas_ + limits_ + area; }  ///< area: from 1
  size_t size() const { return 1 + 2 * areas_ + limits_; }

 private:
  size_t areas_, limits_;
};

/// Numbers of a category in kLanes resamples; NaN where there is no object in a resample, or no such threshold.
using LaneValues = std::array<double, kLanes>;

/// Accumulates as COCOeval does, where each image is there as often as its weight says, and its copies lie beside it:
/// precision falls to what the last copy of a detection reaches, so one step stands for all of them. Keeps its memory
/// from call to call.
class CategoryResampler {
 public:
  /// Precondition: params are settled, their recall thresholds rise, and they outlive the object.
  explicit CategoryResampler(const eval::CocoParams& params) : params_(params), places_(params) {}

  /// Of each file its numbers: [files][NumberPlaces]. All files have the same objects.
  void compute(std::span<const MatchedEvents* const> files, size_t category, const ResampleWeights& weights,
               std::span<std::vector<LaneValues>> numbers);

 private:
  using Counts = std::array<int32_t, kLanes>;
  /// One weight of an event: all copies of its image (0), or the copy of that number, from 1.
  struct Step {
    uint32_t event, copy;
  };
  /// What one threshold's walk up the scores has come to.
  struct Curve {
    Counts true_positives, ignored;  ///< of the steps that are not passed yet
    Counts reached;                  ///< recall thresholds that these true positives reach
    LaneValues best_precision, sum;
  };
  /// Sums over thresholds.
  struct AreaSums {
    LaneValues precision{}, precision50{}, precision75{};
    std::vector<Counts> found;  ///< for each number of detections
  };

  void count_objects(const std::vector<uint32_t>& images, const ResampleWeights& weights);
  AreaSums sum_up(const EventList& list, const ResampleWeights& weights);
  void list_steps(const EventChunk& chunk, const ResampleWeights& weights);
  void walk_down(const EventChunk& chunk, const ResampleWeights& weights, std::vector<Counts>& found);
  void walk_up(const EventChunk& chunk, const ResampleWeights& weights);
  void add_up_levels(size_t num_thresholds);
  void take_true(Curve& curve, const Counts& weights, const Counts& seen) const;
  static Counts weights_of(const Step& step, const MatchEvent& event, const ResampleWeights& weights);
  void write(size_t area, const AreaSums& sums, std::vector<LaneValues>& numbers) const;

  const eval::CocoParams& params_;
  NumberPlaces places_;
  Counts num_objects_{};
  /// Of each lane how many recall thresholds 0, 1, ... found objects reach.
  std::array<std::vector<int32_t>, kLanes> reached_;
  std::vector<Step> steps_;
  std::vector<Counts> seen_;  ///< of each step, the detections up to it, itself included
  std::vector<Curve> curves_;
  /// Those that are true at the lowest 1, 2, ... thresholds of the chunk, as most are, and false at the others.
  std::array<Counts, eval::kThresholdsInChunk + 1> levels_;
};

}  // namespace effdet::analysis
