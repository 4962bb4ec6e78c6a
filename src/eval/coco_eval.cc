// Sorts, matches and accumulates: pairs of category and image first, then categories, in parallel.
#include "eval/coco_eval.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/thread_pool.h"
#include "eval/coco_groups.h"
#include "eval/coco_match.h"
#include "eval/score_order.h"

namespace effdet::eval {
namespace {

/// Pairs that a thread takes at once.
constexpr size_t kPairsInTask = 256;

/// What a thread keeps from one piece of work to the next.
struct Scratch {
  std::vector<KeyedPlace> keyed, other;
  std::vector<uint32_t> places;
  std::vector<TrueBox> objects;
  std::vector<std::array<double, 4>> boxes;
  std::vector<Outcome*> outcomes;
};

class CocoRun {
 public:
  CocoRun(const GroundTruth& dataset, std::span<const CocoResult> results, CocoEvaluation& evaluation, int threads)
      : dataset_(dataset),
        results_(results),
        evaluation_(evaluation),
        params_(evaluation.params),
        groups_(group_by_category(params_, dataset, results)),
        pool_(threads > 0 ? threads : default_thread_count()),
        scratch_(static_cast<size_t>(pool_.size())) {}

  void run() {
    rank_detections();
    order_categories();
    outcomes_.resize(params_.area_ranges.size());
    for (auto& outcomes : outcomes_) outcomes.resize(groups_.detections.size());
    const size_t num_thresholds = params_.iou_thresholds.size();
    for (size_t first = 0; first < num_thresholds; first += kThresholdsInChunk) {
      const size_t count = std::min(kThresholdsInChunk, num_thresholds - first);
      match(std::span(params_.iou_thresholds).subspan(first, count));
      accumulate(first, count);
    }
    count_categories();
  }

 private:
  /// Calls function(pair, thread) for every pair.
  template <typename Function>
  void for_each_pair(Function function) {
    const size_t count = groups_.num_pairs(), tasks = (count + kPairsInTask - 1) / kPairsInTask;
    pool_.parallel_for(static_cast<int64_t>(tasks), [&](int64_t task, int thread) {
      const size_t begin = static_cast<size_t>(task) * kPairsInTask;
      for (size_t pair = begin; pair < std::min(begin + kPairsInTask, count); ++pair)
        function(pair, static_cast<size_t>(thread));
    });
  }

  std::pair<uint32_t, uint32_t> objects_of(size_t pair) const {
    return {groups_.pairs[pair].objects, groups_.pairs[pair + 1].objects};
  }
  std::pair<uint32_t, uint32_t> detections_of(size_t pair) const {
    return {groups_.pairs[pair].detections, groups_.pairs[pair + 1].detections};
  }
  const CocoPair& first_of(size_t category) const { return groups_.pairs[groups_.categories[category]]; }

  /// Puts the detections of each pair into order of falling score.
  void rank_detections() {
    keys_.resize(groups_.detections.size());
    ranks_.resize(groups_.detections.size());
    for_each_pair([&](size_t pair, size_t thread) {
      Scratch& scratch = scratch_[thread];
      const auto [begin, end] = detections_of(pair);
      scratch.keyed.clear();
      for (uint32_t i = begin; i < end; ++i)
        scratch.keyed.push_back({score_key(results_[groups_.detections[i]].score), i});
      sort_by_score(scratch.keyed, scratch.other);
      scratch.places.assign(groups_.detections.begin() + begin, groups_.detections.begin() + end);
      for (uint32_t rank = 0; rank < scratch.keyed.size(); ++rank) {
        groups_.detections[begin + rank] = scratch.places[scratch.keyed[rank].place - begin];
        keys_[begin + rank] = scratch.keyed[rank].key;
        ranks_[begin + rank] = rank;
      }
    });
  }

  /// The order of each category's detections over all images, without those beyond the largest number an image.
  void order_categories() {
    order_.resize(groups_.detections.size());
    order_sizes_.resize(groups_.num_categories());
    pool_.parallel_for(static_cast<int64_t>(groups_.num_categories()), [&](int64_t task, int thread) {
      const auto category = static_cast<size_t>(task);
      Scratch& scratch = scratch_[static_cast<size_t>(thread)];
      const uint32_t begin = first_of(category).detections, end = first_of(category + 1).detections;
      scratch.keyed.clear();
      for (uint32_t i = begin; i < end; ++i)
        if (ranks_[i] < params_.max_detections.back()) scratch.keyed.push_back({keys_[i], i});
      sort_by_score(scratch.keyed, scratch.other);
      for (size_t i = 0; i < scratch.keyed.size(); ++i) order_[begin + i] = scratch.keyed[i].place;
      order_sizes_[category] = scratch.keyed.size();
    });
    keys_ = {};
  }

  void match(std::span<const double> thresholds) {
    std::vector<PairMatcher> matchers(scratch_.size(), PairMatcher(thresholds, params_.area_ranges));
    for_each_pair([&](size_t pair, size_t thread) {
      Scratch& scratch = scratch_[thread];
      scratch.objects.clear();
      const auto [first_object, last_object] = objects_of(pair);
      for (uint32_t i = first_object; i < last_object; ++i) {
        const Annotation& annotation = dataset_.annotations[groups_.objects[i]];
        scratch.objects.push_back({annotation.bbox, annotation.area, annotation.is_crowd, annotation.id == 0});
      }
      scratch.boxes.clear();
      const auto [begin, end] = detections_of(pair);
      const auto count = std::min<size_t>(end - begin, params_.max_detections.back());
      for (size_t i = 0; i < count; ++i) scratch.boxes.push_back(results_[groups_.detections[begin + i]].bbox);
      scratch.outcomes.clear();
      for (auto& of_area : outcomes_) scratch.outcomes.push_back(of_area.data() + begin);
      matchers[thread].match(scratch.objects, scratch.boxes, scratch.outcomes);
    });
  }

  void accumulate(size_t first_threshold, size_t num_thresholds) {
    std::vector<Accumulator> accumulators(scratch_.size(), Accumulator(params_, evaluation_.arrays));
    std::vector<double> scores;
    if (!evaluation_.arrays.scores.empty())
      for (const uint32_t index : groups_.detections) scores.push_back(results_[index].score);
    const size_t areas = params_.area_ranges.size();
    pool_.parallel_for(static_cast<int64_t>(groups_.num_categories() * areas), [&](int64_t task, int thread) {
      const size_t category = static_cast<size_t>(task) / areas, area = static_cast<size_t>(task) % areas;
      const RankedDetections detections{
          .order = std::span(order_).subspan(first_of(category).detections, order_sizes_[category]),
          .ranks = ranks_,
          .outcomes = outcomes_[area],
          .scores = scores};
      accumulators[static_cast<size_t>(thread)].add(category, area, first_threshold, num_thresholds,
                                                    count_objects(category, params_.area_ranges[area]), detections);
    });
  }

  size_t count_objects(size_t category, const AreaRange& range) const {
    size_t count = 0;
    for (uint32_t i = first_of(category).objects; i < first_of(category + 1).objects; ++i) {
      const Annotation& annotation = dataset_.annotations[groups_.objects[i]];
      count += !annotation.is_crowd && range.contains(annotation.area) ? 1 : 0;
    }
    return count;
  }

  void count_categories() {
    evaluation_.num_detections = groups_.detections.size();
    for (size_t k = 0; k < groups_.num_categories(); ++k) {
      evaluation_.category_detections.push_back(first_of(k + 1).detections - first_of(k).detections);
      evaluation_.category_objects.push_back(count_objects(k, params_.area_ranges.front()));
    }
  }

  const GroundTruth& dataset_;
  std::span<const CocoResult> results_;
  CocoEvaluation& evaluation_;
  const CocoParams& params_;
  CocoGroups groups_;
  ThreadPool pool_;
  std::vector<Scratch> scratch_;
  std::vector<uint64_t> keys_;                  ///< of each place in groups_.detections
  std::vector<uint32_t> ranks_;                 ///< the same: how many of its pair are before it
  std::vector<uint32_t> order_;                 ///< of each category, from its first place on: places by falling score
  std::vector<size_t> order_sizes_;             ///< of each category
  std::vector<std::vector<Outcome>> outcomes_;  ///< of each area range and place
};

}  // namespace

CocoEvaluation evaluate_coco(const GroundTruth& dataset, std::span<const CocoResult> results, CocoParams params,
                             CocoOutput output, int threads) {
  params.settle();
  CocoEvaluation evaluation{.params = std::move(params)};
  evaluation.arrays = CocoArrays(evaluation.params, output == CocoOutput::kAllArrays);
  CocoRun(dataset, results, evaluation, threads).run();
  return evaluation;
}

}  // namespace effdet::eval
