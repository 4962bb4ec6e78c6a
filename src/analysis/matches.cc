// Ranks and matches the detections of each pair of image and category, in parallel.
#include "analysis/matches.h"

#include <algorithm>
#include <array>
#include <limits>

#include "eval/score_order.h"

namespace effdet::analysis {
namespace {

constexpr size_t kPairsInTask = 256;
constexpr double kNotFound = std::numeric_limits<double>::quiet_NaN();

int64_t image_of(size_t pair, const eval::CocoGroups& groups, const eval::GroundTruth& dataset,
                 std::span<const eval::CocoResult> results) {
  const eval::CocoPair &here = groups.pairs[pair], &next = groups.pairs[pair + 1];
  return here.objects < next.objects ? dataset.annotations[groups.objects[here.objects]].image_id
                                     : results[groups.detections[here.detections]].image_id;
}

/// Of each image its first pair; one more at the end. Pairs are in order of images.
std::vector<uint32_t> first_pairs(const eval::CocoGroups& groups, const eval::GroundTruth& dataset,
                                  std::span<const eval::CocoResult> results) {
  std::vector<uint32_t> firsts;
  int64_t last_image = 0;
  for (size_t pair = 0; pair < groups.num_pairs(); ++pair) {
    const int64_t image = image_of(pair, groups, dataset, results);
    if (firsts.empty() || image != last_image) firsts.push_back(static_cast<uint32_t>(pair));
    last_image = image;
  }
  firsts.push_back(static_cast<uint32_t>(groups.num_pairs()));
  return firsts;
}

}  // namespace

/// What a thread keeps from one pair to the next.
struct Matches::Scratch {
  explicit Scratch(eval::PairMatcher pair_matcher) : matcher(std::move(pair_matcher)) {}

  eval::PairMatcher matcher;
  std::vector<eval::KeyedPlace> keyed, other;
  std::vector<uint32_t> indices, found;
  std::vector<eval::TrueBox> objects;
  std::vector<std::array<double, 4>> boxes;
  std::vector<eval::Outcome> outcomes;
};

Matches::Matches(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
                 const eval::CocoParams& params, double iou_threshold, ThreadPool& pool)
    : dataset_(dataset),
      results_(results),
      params_(params),
      groups_(eval::group_pairs(params, dataset, results)),
      first_pairs_(first_pairs(groups_, dataset, results)),
      num_objects_(groups_.num_categories()),
      scores_(groups_.detections.size()),
      verdicts_(groups_.detections.size()),
      found_scores_(groups_.objects.size(), kNotFound) {
  const std::span areas = std::span(params_.area_ranges).first(1);
  std::vector<Scratch> scratch(static_cast<size_t>(pool.size()),
                               Scratch(eval::PairMatcher(std::span(&iou_threshold, 1), areas)));
  const size_t count = groups_.num_pairs(), tasks = (count + kPairsInTask - 1) / kPairsInTask;
  pool.parallel_for(static_cast<int64_t>(tasks), [&](int64_t task, int thread) {
    const size_t begin = static_cast<size_t>(task) * kPairsInTask;
    for (size_t pair = begin; pair < std::min(begin + kPairsInTask, count); ++pair)
      match_pair(pair, scratch[static_cast<size_t>(thread)]);
  });
  for (size_t pair = 0; pair < count; ++pair)
    for (uint32_t i = groups_.pairs[pair].objects; i < groups_.pairs[pair + 1].objects; ++i)
      num_objects_[groups_.pairs[pair].category] += counts(dataset_.annotations[groups_.objects[i]]) ? 1 : 0;
}

bool Matches::counts(const eval::Annotation& annotation) const {
  return !annotation.is_crowd && !annotation.is_ignored && params_.area_ranges.front().contains(annotation.area);
}

void Matches::rank(size_t pair, Scratch& scratch) {
  const uint32_t begin = groups_.pairs[pair].detections, end = groups_.pairs[pair + 1].detections;
  scratch.keyed.clear();
  for (uint32_t i = 0; i < end - begin; ++i)
    scratch.keyed.push_back({eval::score_key(results_[groups_.detections[begin + i]].score), i});
  eval::sort_by_score(scratch.keyed, scratch.other);
  const auto first = groups_.detections.begin() + begin;
  scratch.indices.assign(first, first + (end - begin));
  for (uint32_t i = 0; i < end - begin; ++i) {
    groups_.detections[begin + i] = scratch.indices[scratch.keyed[i].place];
    scores_[groups_.pairs[pair].place + i] = results_[groups_.detections[begin + i]].score;
  }
}

void Matches::match_pair(size_t pair, Scratch& scratch) {
  rank(pair, scratch);
  const eval::CocoPair &here = groups_.pairs[pair], &next = groups_.pairs[pair + 1];
  const size_t ranked = next.detections - here.detections;
  const size_t limited = std::min(ranked, params_.max_detections.back());
  scratch.objects.clear();
  for (uint32_t i = here.objects; i < next.objects; ++i) {
    const eval::Annotation& annotation = dataset_.annotations[groups_.objects[i]];
    scratch.objects.push_back({annotation.bbox, annotation.area, annotation.is_crowd, annotation.is_ignored});
  }
  scratch.boxes.clear();
  for (size_t i = 0; i < limited; ++i) scratch.boxes.push_back(results_[groups_.detections[here.detections + i]].bbox);
  scratch.outcomes.resize(limited);
  scratch.found.resize(limited);
  bool complete = true;
  if (limited > 0) {
    const eval::CocoResult& first = results_[groups_.detections[here.detections]];
    complete = dataset_.is_complete(first.image_id, first.category_id);
  }
  scratch.matcher.match(scratch.objects, scratch.boxes, scratch.outcomes.data(), scratch.found.data(), complete);
  Verdict* verdicts = verdicts_.data() + here.place;
  for (size_t i = 0; i < limited; ++i) {
    const auto [true_positive, false_positive] = scratch.outcomes[i];
    verdicts[i] = true_positive != 0    ? Verdict::kTruePositive
                  : false_positive != 0 ? Verdict::kFalsePositive
                                        : Verdict::kIgnored;
    if (true_positive != 0) found_scores_[here.objects + scratch.found[i]] = scores_[here.place + i];
  }
  std::fill(verdicts + limited, verdicts + ranked, Verdict::kBeyondLimit);
}

int64_t Matches::image_id(size_t image) const { return image_of(first_pairs_[image], groups_, dataset_, results_); }

void Matches::read(size_t image, ImageContent& content) const {
  content.objects.clear();
  content.detections.clear();
  for (uint32_t pair = first_pairs_[image]; pair < first_pairs_[image + 1]; ++pair) {
    const eval::CocoPair &here = groups_.pairs[pair], &next = groups_.pairs[pair + 1];
    for (uint32_t i = here.objects; i < next.objects; ++i) {
      const eval::Annotation& annotation = dataset_.annotations[groups_.objects[i]];
      content.objects.push_back({.annotation = &annotation,
                                 .category = here.category,
                                 .counts = counts(annotation),
                                 .found_score = found_scores_[i]});
    }
    for (uint32_t i = 0; i < next.detections - here.detections; ++i)
      content.detections.push_back({.result = &results_[groups_.detections[here.detections + i]],
                                    .category = here.category,
                                    .verdict = verdicts_[here.place + i]});
  }
}

}  // namespace effdet::analysis
