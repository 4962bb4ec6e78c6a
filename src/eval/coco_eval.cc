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
  std::vector<uint32_t> indices;
  std::vector<TrueBox> objects;
  std::vector<std::array<double, 4>> boxes;
};

class CocoRun {
 public:
  CocoRun(const GroundTruth& dataset, std::span<const CocoResult> results, CocoEvaluation& evaluation, ThreadPool& pool,
          WorkProgress* progress, const SeeMatches& see)
      : dataset_(dataset),
        results_(results),
        evaluation_(evaluation),
        params_(evaluation.params),
        groups_(group_pairs(params_, dataset, results)),
        pool_(pool),
        progress_(progress),
        see_(see),
        scratch_(static_cast<size_t>(pool_.size())) {}

  void run() {
    const size_t count = groups_.detections.size(), num_thresholds = params_.iou_thresholds.size();
    keys_.resize(count);
    ranks_.resize(count);
    outcomes_.resize(count * params_.area_ranges.size());
    if (see_ || !evaluation_.arrays.scores.empty()) scores_.resize(count);
    if (see_) find_images();
    const size_t chunks = (num_thresholds + kThresholdsInChunk - 1) / kThresholdsInChunk;
    if (progress_ != nullptr) progress_->begin("images", groups_.num_pairs() * chunks, params_.image_ids.size());
    for (size_t first = 0; first < num_thresholds; first += kThresholdsInChunk) {
      const size_t chunk = std::min(kThresholdsInChunk, num_thresholds - first);
      match_pairs(std::span(params_.iou_thresholds).subspan(first, chunk), /*rank=*/first == 0);
      if (first == 0) order_categories();
      accumulate(first, chunk);
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
      if (progress_ != nullptr) progress_->add(std::min(kPairsInTask, count - begin));
    });
  }

  std::span<const uint32_t> objects_of(size_t pair) const {
    const uint32_t begin = groups_.pairs[pair].objects, end = groups_.pairs[pair + 1].objects;
    return std::span(groups_.objects).subspan(begin, end - begin);
  }
  std::span<uint32_t> detections_of(size_t pair) {
    const uint32_t begin = groups_.pairs[pair].detections, end = groups_.pairs[pair + 1].detections;
    return std::span(groups_.detections).subspan(begin, end - begin);
  }

  /// Matches each pair, after its detections have been put into order of falling score where rank says so.
  void match_pairs(std::span<const double> thresholds, bool rank) {
    std::vector<PairMatcher> matchers(scratch_.size(), PairMatcher(thresholds, params_.area_ranges));
    for_each_pair([&](size_t pair, size_t thread) {
      if (rank) rank_detections(detections_of(pair), groups_.pairs[pair].place, scratch_[thread]);
      match_pair(pair, scratch_[thread], matchers[thread]);
    });
  }

  void rank_detections(std::span<uint32_t> detections, size_t place, Scratch& scratch) {
    scratch.keyed.clear();
    for (uint32_t i = 0; i < detections.size(); ++i)
      scratch.keyed.push_back({score_key(results_[detections[i]].score), i});
    sort_by_score(scratch.keyed, scratch.other);
    scratch.indices.assign(detections.begin(), detections.end());
    for (uint32_t rank = 0; rank < detections.size(); ++rank) {
      detections[rank] = scratch.indices[scratch.keyed[rank].place];
      keys_[place + rank] = scratch.keyed[rank].key;
      ranks_[place + rank] = rank;
      if (!scores_.empty()) scores_[place + rank] = results_[detections[rank]].score;
    }
  }

  void match_pair(size_t pair, Scratch& scratch, PairMatcher& matcher) {
    scratch.objects.clear();
    for (const uint32_t index : objects_of(pair)) {
      const Annotation& annotation = dataset_.annotations[index];
      scratch.objects.push_back({.bbox = annotation.bbox,
                                 .area = annotation.area,
                                 .is_crowd = annotation.is_crowd,
                                 .is_ignored = annotation.is_ignored,
                                 .has_zero_id = annotation.id == 0});
    }
    scratch.boxes.clear();
    const std::span<const uint32_t> detections = detections_of(pair);
    for (const uint32_t index : detections.first(std::min(detections.size(), params_.max_detections.back())))
      scratch.boxes.push_back(results_[index].bbox);
    matcher.match(scratch.objects, scratch.boxes,
                  outcomes_.data() + groups_.pairs[pair].place * params_.area_ranges.size(), nullptr,
                  is_complete(detections));
  }

  /// Of detections of one image and category.
  bool is_complete(std::span<const uint32_t> detections) const {
    if (detections.empty()) return true;
    const CocoResult& result = results_[detections[0]];
    return dataset_.is_complete(result.image_id, result.category_id);
  }

  /// The order of each category's detections over all images, without those beyond the largest number an image.
  void order_categories() {
    order_.resize(groups_.detections.size());
    order_sizes_.resize(groups_.num_categories());
    pool_.parallel_for(static_cast<int64_t>(groups_.num_categories()), [&](int64_t task, int thread) {
      const auto category = static_cast<size_t>(task);
      Scratch& scratch = scratch_[static_cast<size_t>(thread)];
      const uint32_t begin = groups_.category_places[category], end = groups_.category_places[category + 1];
      scratch.keyed.clear();
      for (uint32_t i = begin; i < end; ++i)
        if (ranks_[i] < params_.max_detections.back()) scratch.keyed.push_back({keys_[i], i});
      sort_by_score(scratch.keyed, scratch.other);
      for (size_t i = 0; i < scratch.keyed.size(); ++i) order_[begin + i] = scratch.keyed[i].place;
      order_sizes_[category] = scratch.keyed.size();
    });
    keys_ = {};
  }

  void accumulate(size_t first_threshold, size_t num_thresholds) {
    std::vector<Accumulator> accumulators(scratch_.size(), Accumulator(params_, evaluation_.arrays));
    const size_t areas = params_.area_ranges.size();
    const std::vector<size_t> num_objects = count_objects();
    pool_.parallel_for(static_cast<int64_t>(groups_.num_categories() * areas), [&](int64_t task, int thread) {
      const size_t category = static_cast<size_t>(task) / areas, area = static_cast<size_t>(task) % areas;
      const RankedDetections detections{
          .order = std::span(order_).subspan(groups_.category_places[category], order_sizes_[category]),
          .ranks = ranks_,
          .outcomes = outcomes_,
          .scores = scores_};
      accumulators[static_cast<size_t>(thread)].add(category, area, first_threshold, num_thresholds,
                                                    num_objects[static_cast<size_t>(task)], detections);
      if (see_)
        see_({.category = category,
              .area = area,
              .first_threshold = first_threshold,
              .num_thresholds = num_thresholds,
              .detections = detections,
              .images = images_,
              .objects = object_images_[static_cast<size_t>(task)]});
    });
  }

  /// Whether an object is to be found.
  bool counts(const Annotation& annotation, size_t area) const {
    return !annotation.is_crowd && !annotation.is_ignored && params_.area_ranges[area].contains(annotation.area);
  }

  void find_images() {
    const size_t areas = params_.area_ranges.size();
    images_.resize(groups_.detections.size());
    object_images_.resize(groups_.num_categories() * areas);
    for (size_t pair = 0; pair < groups_.num_pairs(); ++pair) {
      const CocoPair& here = groups_.pairs[pair];
      std::fill_n(images_.begin() + here.place, detections_of(pair).size(), here.image);
      for (const uint32_t index : objects_of(pair))
        for (size_t a = 0; a < areas; ++a)
          if (counts(dataset_.annotations[index], a)) object_images_[here.category * areas + a].push_back(here.image);
    }
  }

  /// [categories, area ranges]: the objects that are to be found.
  std::vector<size_t> count_objects() const {
    const size_t areas = params_.area_ranges.size();
    std::vector<size_t> numbers(groups_.num_categories() * areas);
    for (size_t pair = 0; pair < groups_.num_pairs(); ++pair) {
      for (const uint32_t index : objects_of(pair)) {
        for (size_t a = 0; a < areas; ++a)
          numbers[groups_.pairs[pair].category * areas + a] += counts(dataset_.annotations[index], a) ? 1 : 0;
      }
    }
    return numbers;
  }

  void count_categories() {
    const std::vector<size_t> num_objects = count_objects();
    const auto& places = groups_.category_places;
    evaluation_.num_detections = groups_.detections.size();
    for (size_t k = 0; k < groups_.num_categories(); ++k) {
      evaluation_.category_detections.push_back(places[k + 1] - places[k]);
      evaluation_.category_objects.push_back(num_objects[k * params_.area_ranges.size()]);
    }
  }

  const GroundTruth& dataset_;
  std::span<const CocoResult> results_;
  CocoEvaluation& evaluation_;
  const CocoParams& params_;
  CocoGroups groups_;
  ThreadPool& pool_;
  WorkProgress* progress_;
  const SeeMatches& see_;
  std::vector<Scratch> scratch_;
  std::vector<uint64_t> keys_;       ///< of each place, until the categories are in order
  std::vector<uint32_t> ranks_;      ///< of each place: how many of its pair are before it
  std::vector<uint32_t> order_;      ///< of each category, from its first place on: places by falling score
  std::vector<size_t> order_sizes_;  ///< of each category
  std::vector<Outcome> outcomes_;    ///< [places, area ranges]
  std::vector<double> scores_;       ///< of each place, where the arrays have scores or somebody sees the matches
  /// Where somebody does: of each place, and of each object by [category, area range], its image.
  std::vector<uint32_t> images_;
  std::vector<std::vector<uint32_t>> object_images_;
};

}  // namespace

CocoEvaluation evaluate_coco(const GroundTruth& dataset, std::span<const CocoResult> results, CocoParams params,
                             CocoOutput output, ThreadPool* pool, WorkProgress* progress, const SeeMatches& see) {
  params.settle();
  CocoEvaluation evaluation{.params = std::move(params)};
  evaluation.arrays = CocoArrays(evaluation.params, output == CocoOutput::kAllArrays);
  if (pool != nullptr) {
    CocoRun(dataset, results, evaluation, *pool, progress, see).run();
  } else {
    ThreadPool alone(1);
    CocoRun(dataset, results, evaluation, alone, progress, see).run();
  }
  return evaluation;
}

}  // namespace effdet::eval
