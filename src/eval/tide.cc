// Walks down the scores of each category, and makes AP as it is and with one kind of error mended.
#include "eval/tide.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "eval/score_order.h"
#include "eval/tide_match.h"

namespace effdet::eval {
namespace {

/// The curves of a category: one for each kind of error, with the errors of that kind mended, and these.
constexpr size_t kAsItIs = kNumTideKinds, kNoFalsePositives = kAsItIs + 1, kNoFalseNegatives = kAsItIs + 2,
                 kNumTideCurves = kAsItIs + 3;
using TideAps = std::array<std::optional<double>, kNumTideCurves>;

/// What a category's curves meet at a score.
struct TideEvent {
  int8_t kind;     ///< kTrue, or the TideKind of an error
  bool is_mended;  ///< an object of the category that is found once errors of this kind are mended
  bool is_counted_false;
};

/// Events of each category, in the order of the points.
class TideEvents {
 public:
  TideEvents(std::span<const TidePoint> points, size_t num_categories) : begins_(num_categories + 1) {
    for (const TidePoint& point : points) {
      ++begins_[point.category + 1];
      if (point.mended_category != TidePoint::kGone) ++begins_[point.mended_category + 1];
    }
    std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
    keys_.resize(begins_.back());
    events_.resize(begins_.back());
    std::vector<size_t> next(begins_.begin(), begins_.end() - 1);
    const auto add = [&](uint32_t category, uint64_t key, TideEvent event) {
      keys_[next[category]] = key;
      events_[next[category]++] = event;
    };
    for (const TidePoint& point : points) {
      const uint64_t key = score_key(point.score);
      const bool is_true = point.kind == TidePoint::kTrue;
      add(point.category, key, {point.kind, false, !is_true && !point.is_ignored});
      if (point.mended_category != TidePoint::kGone) add(point.mended_category, key, {point.kind, true, false});
    }
  }

  std::span<const uint64_t> keys_of(size_t category) const { return part_of<uint64_t>(keys_, category); }
  std::span<const TideEvent> of(size_t category) const { return part_of<TideEvent>(events_, category); }

 private:
  template <typename Item>
  std::span<const Item> part_of(std::span<const Item> all, size_t category) const {
    return all.subspan(begins_[category], begins_[category + 1] - begins_[category]);
  }

  std::vector<size_t> begins_;
  std::vector<uint64_t> keys_;
  std::vector<TideEvent> events_;
};

/// All curves of one category after the other, in one walk down the scores. Most detections are false for most curves:
/// they are counted once for all. Keeps its memory.
class TideWalk {
 public:
  void walk(std::span<const uint64_t> keys, std::span<const TideEvent> events) {
    clear();
    keyed_.clear();
    for (const uint64_t key : keys) keyed_.push_back({key, static_cast<uint32_t>(keyed_.size())});
    sort_by_score(keyed_, scratch_);
    for (size_t begin = 0; begin < keyed_.size();) {
      size_t end = begin;
      while (end < keyed_.size() && keyed_[end].key == keyed_[begin].key) ++end;
      meet_equal_scores(std::span(keyed_).subspan(begin, end - begin), events);
      begin = end;
    }
    precision_[kNoFalsePositives].assign(precision_[kAsItIs].size(), 1.0);
  }

  /// Of curves without objects and detections none.
  TideAps aps(size_t num_objects, size_t missed, size_t unfound) {
    TideAps values;
    for (size_t curve = 0; curve < kNumTideCurves; ++curve) {
      size_t count = num_objects;
      if (curve == static_cast<size_t>(TideKind::kMissed)) count -= missed;
      if (curve == kNoFalseNegatives) count -= unfound;
      if (count > 0 || !precision_[curve].empty() || false_positives_ > mended_[curve])
        values[curve] = ap(precision_[curve], static_cast<double>(count));
    }
    return values;
  }

 private:
  void clear() {
    false_positives_ = 0;
    mended_.fill(0);
    for (auto& precision : precision_) precision.clear();
  }

  /// They go in their order, or errors before true positives, as tidecv has them once it has mended.
  void meet_equal_scores(std::span<const KeyedPlace> places, std::span<const TideEvent> events) {
    for (const KeyedPlace& place : places) {
      const TideEvent& event = events[place.place];
      if (event.kind == TidePoint::kTrue) {
        find(kAsItIs);
      } else if (event.is_mended) {
        find(static_cast<size_t>(event.kind));
      } else if (event.is_counted_false) {
        ++false_positives_;
        ++mended_[static_cast<size_t>(event.kind)];
      }
    }
    for (const KeyedPlace& place : places) {
      if (events[place.place].kind != TidePoint::kTrue) continue;
      for (size_t kind = 0; kind < kNumTideKinds; ++kind) find(kind);
      find(kNoFalseNegatives);
    }
  }

  void find(size_t curve) {
    const size_t found = precision_[curve].size() + 1;
    precision_[curve].push_back(static_cast<double>(found) /
                                static_cast<double>(found + false_positives_ - mended_[curve]));
  }

  /// 0 to 100.
  static double ap(std::vector<double>& precision, double num_objects) {
    if (num_objects == 0 || precision.empty()) return 0;
    for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
    double sum = 0;
    size_t found = 0;
    for (int r = 0; r <= 100; ++r) {
      while (found < precision.size() && static_cast<double>(found + 1) / num_objects < r / 100.0) ++found;
      if (found == precision.size()) break;
      sum += precision[found];
    }
    return sum / 101 * 100;
  }

  size_t false_positives_ = 0;
  std::array<size_t, kNumTideCurves> mended_{};                ///< of the false positives, by curve
  std::array<std::vector<double>, kNumTideCurves> precision_;  ///< at each true positive
  std::vector<KeyedPlace> keyed_, scratch_;
};

/// Over the categories that have objects or detections.
double mean_ap(std::span<const TideAps> categories, size_t curve) {
  double sum = 0, count = 0;
  for (const TideAps& aps : categories) {
    if (!aps[curve].has_value()) continue;
    sum += *aps[curve];
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

}  // namespace

TideErrors find_tide_errors(const GroundTruth& dataset, std::span<const CocoResult> results, const CocoParams& params,
                            ThreadPool& pool) {
  const TideMatches matches = match_tide(dataset, results, params, pool);
  const TideCounts& counts = matches.counts;
  const size_t num_categories = counts.num_objects.size();
  const TideEvents events(matches.points, num_categories);
  std::vector<TideAps> aps(num_categories);
  std::vector<TideWalk> walks(static_cast<size_t>(pool.size()));
  pool.parallel_for(static_cast<int64_t>(num_categories), [&](int64_t task, int thread) {
    const auto k = static_cast<size_t>(task);
    TideWalk& walk = walks[static_cast<size_t>(thread)];
    walk.walk(events.keys_of(k), events.of(k));
    aps[k] = walk.aps(counts.num_objects[k], counts.missed[k], counts.unfound[k]);
  });
  TideErrors errors{.ap = mean_ap(aps, kAsItIs), .counts = counts.kinds};
  for (size_t kind = 0; kind < kNumTideKinds; ++kind)
    errors.costs[kind] = std::max(mean_ap(aps, kind) - errors.ap, 0.0);
  errors.false_positives = mean_ap(aps, kNoFalsePositives) - errors.ap;
  errors.false_negatives = mean_ap(aps, kNoFalseNegatives) - errors.ap;
  return errors;
}

}  // namespace effdet::eval
