// Counts down the scores, then walks up, where the best precision from some recall on is known.
#include "analysis/category_resamples.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace effdet::analysis {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

template <typename Function>
void for_each_threshold(eval::ThresholdBits bits, Function function) {
  for (unsigned left = bits; left != 0; left &= left - 1) function(static_cast<size_t>(std::countr_zero(left)));
}

/// The thresholds at which a detection is neither right nor wrong.
eval::ThresholdBits ignored_at(const MatchEvent& event, const EventChunk& chunk) {
  const auto all = (1U << chunk.num_thresholds) - 1;
  return static_cast<eval::ThresholdBits>(all & ~unsigned{event.true_positive} & ~unsigned{event.false_positive});
}

template <typename Weights>
void add_to(std::array<int32_t, kLanes>& sums, const Weights& weights) {
  for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += weights[lane];
}

}  // namespace

void CategoryResampler::compute(std::span<const MatchedEvents* const> files, size_t category,
                                const ResampleWeights& weights, std::span<std::vector<LaneValues>> numbers) {
  LaneValues undefined;
  undefined.fill(kUndefined);
  for (std::vector<LaneValues>& of_file : numbers) of_file.assign(places_.size(), undefined);
  for (size_t area = 0; area < params_.area_ranges.size(); ++area) {
    const std::vector<uint32_t>& objects = files.front()->of(category, area).objects;
    if (objects.empty()) continue;
    count_objects(objects, weights);
    for (size_t file = 0; file < files.size(); ++file)
      write(area, sum_up(files[file]->of(category, area), weights), numbers[file]);
  }
}

void CategoryResampler::count_objects(const std::vector<uint32_t>& images, const ResampleWeights& weights) {
  num_objects_ = {};
  for (const uint32_t image : images) add_to(num_objects_, weights.of(image));
  const std::vector<double>& recalls = params_.recall_thresholds;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    const double all = num_objects_[lane];
    reached_[lane].assign(static_cast<size_t>(num_objects_[lane]) + 1, 0);
    size_t reached = 0;
    for (int32_t found = 1; found <= num_objects_[lane]; ++found) {
      while (reached < recalls.size() && !(found / all < recalls[reached])) ++reached;
      reached_[lane][static_cast<size_t>(found)] = static_cast<int32_t>(reached);
    }
  }
}

CategoryResampler::AreaSums CategoryResampler::sum_up(const EventList& list, const ResampleWeights& weights) {
  AreaSums sums;
  sums.found.resize(params_.max_detections.size());
  for (const EventChunk& chunk : list.chunks) {
    list_steps(chunk, weights);
    walk_down(chunk, weights, sums.found);
    walk_up(chunk, weights);
    for (size_t t = 0; t < chunk.num_thresholds; ++t) {
      const double threshold = params_.iou_thresholds[chunk.first_threshold + t];
      for (size_t lane = 0; lane < kLanes; ++lane) {
        sums.precision[lane] += curves_[t].sum[lane];
        if (threshold == 0.5) sums.precision50[lane] += curves_[t].sum[lane];
        if (threshold == 0.75) sums.precision75[lane] += curves_[t].sum[lane];
      }
    }
  }
  for (size_t m = 1; m < sums.found.size(); ++m) add_to(sums.found[m], sums.found[m - 1]);
  return sums;
}

void CategoryResampler::list_steps(const EventChunk& chunk, const ResampleWeights& weights) {
  steps_.clear();
  for (uint32_t e = 0; e < chunk.events.size(); e += chunk.events[e].num_equal) {
    const uint32_t count = chunk.events[e].num_equal;
    if (count == 1) {
      steps_.push_back({e, 0});
      continue;
    }
    const uint32_t copies = std::ranges::max(weights.of(chunk.events[e].image));
    for (uint32_t copy = 1; copy <= copies; ++copy)
      for (uint32_t i = 0; i < count; ++i) steps_.push_back({e + i, copy});
  }
}

CategoryResampler::Counts CategoryResampler::weights_of(const Step& step, const MatchEvent& event,
                                                        const ResampleWeights& weights) {
  const ResampleWeights::Lanes& all = weights.of(event.image);
  Counts counts;
  for (size_t lane = 0; lane < kLanes; ++lane)
    counts[lane] = step.copy == 0 ? all[lane] : static_cast<int32_t>(all[lane] >= step.copy);
  return counts;
}

void CategoryResampler::walk_down(const EventChunk& chunk, const ResampleWeights& weights, std::vector<Counts>& found) {
  curves_.assign(chunk.num_thresholds, Curve{});
  levels_ = {};
  seen_.resize(steps_.size());
  Counts seen{};
  size_t next = 0;
  for (size_t s = 0; s < steps_.size(); ++s) {
    const MatchEvent& event = chunk.events[steps_[s].event];
    for (; next < event.falses_end; ++next) add_to(seen, weights.of(chunk.falses[next]));
    const Counts step = weights_of(steps_[s], event, weights);
    add_to(seen, step);
    seen_[s] = seen;
    if ((event.true_positive & (event.true_positive + 1)) == 0) {
      add_to(levels_[static_cast<size_t>(std::popcount(event.true_positive))], step);
    } else {
      for_each_threshold(event.true_positive, [&](size_t t) { add_to(curves_[t].true_positives, step); });
    }
    for_each_threshold(ignored_at(event, chunk), [&](size_t t) { add_to(curves_[t].ignored, step); });
    const auto limit = std::ranges::upper_bound(params_.max_detections, size_t{event.rank});
    const int32_t times = std::popcount(event.true_positive);
    Counts& counts = found[static_cast<size_t>(limit - params_.max_detections.begin())];
    for (size_t lane = 0; lane < kLanes; ++lane) counts[lane] += times * step[lane];
  }
  add_up_levels(chunk.num_thresholds);
}

void CategoryResampler::add_up_levels(size_t num_thresholds) {
  Counts above{};
  for (size_t t = num_thresholds; t-- > 0;) {
    add_to(above, levels_[t + 1]);
    add_to(curves_[t].true_positives, above);
  }
}

/// From the lowest score up, precision is known from that recall on.
void CategoryResampler::walk_up(const EventChunk& chunk, const ResampleWeights& weights) {
  for (Curve& curve : curves_)
    for (size_t lane = 0; lane < kLanes; ++lane)
      curve.reached[lane] = reached_[lane][static_cast<size_t>(curve.true_positives[lane])];
  for (size_t s = steps_.size(); s-- > 0;) {
    const MatchEvent& event = chunk.events[steps_[s].event];
    const Counts step = weights_of(steps_[s], event, weights);
    for_each_threshold(event.true_positive, [&](size_t t) { take_true(curves_[t], step, seen_[s]); });
    for_each_threshold(ignored_at(event, chunk), [&](size_t t) {
      for (size_t lane = 0; lane < kLanes; ++lane) curves_[t].ignored[lane] -= step[lane];
    });
  }
}

/// Where an image is not drawn, the step counts for nothing: no recall lies between, and precision is not above that of
/// the step before.
void CategoryResampler::take_true(Curve& curve, const Counts& weights, const Counts& seen) const {
  Counts reached;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    const int32_t found = curve.true_positives[lane], all = seen[lane] - curve.ignored[lane];
    curve.best_precision[lane] =
        std::max(curve.best_precision[lane], found / (all + std::numeric_limits<double>::epsilon()));
  }
  for (size_t lane = 0; lane < kLanes; ++lane) {
    curve.true_positives[lane] -= weights[lane];
    reached[lane] = reached_[lane][static_cast<size_t>(curve.true_positives[lane])];
  }
  for (size_t lane = 0; lane < kLanes; ++lane) {
    curve.sum[lane] += curve.best_precision[lane] * (curve.reached[lane] - reached[lane]);
    curve.reached[lane] = reached[lane];
  }
}

void CategoryResampler::write(size_t area, const AreaSums& sums, std::vector<LaneValues>& numbers) const {
  const auto thresholds = static_cast<double>(params_.iou_thresholds.size());
  const auto recalls = static_cast<double>(params_.recall_thresholds.size());
  const auto times = [&](double threshold) {
    return static_cast<double>(std::ranges::count(params_.iou_thresholds, threshold));  // 0 / 0 where there is none
  };
  const double times50 = times(0.5), times75 = times(0.75);
  for (size_t lane = 0; lane < kLanes; ++lane) {
    if (num_objects_[lane] == 0) continue;
    const auto recall = [&](size_t limit) { return sums.found[limit][lane] / (thresholds * num_objects_[lane]); };
    const size_t last = sums.found.size() - 1;
    if (area > 0) {
      numbers[places_.area_ap(area)][lane] = sums.precision[lane] / (thresholds * recalls);
      numbers[places_.area_recall(area)][lane] = recall(last);
      continue;
    }
    numbers[NumberPlaces::kAp][lane] = sums.precision[lane] / (thresholds * recalls);
    numbers[NumberPlaces::kAp50][lane] = sums.precision50[lane] / (times50 * recalls);
    numbers[NumberPlaces::kAp75][lane] = sums.precision75[lane] / (times75 * recalls);
    for (size_t m = 0; m <= last; ++m) numbers[places_.recall(m)][lane] = recall(m);
  }
}

}  // namespace effdet::analysis
