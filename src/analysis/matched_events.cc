// Picks what precision changes at out of a category's detections.
#include "analysis/matched_events.h"

#include <algorithm>
#include <span>

namespace effdet::analysis {
namespace {

class EventWriter {
 public:
  EventWriter(const eval::CategoryMatches& matches, size_t num_areas) : matches_(matches), areas_(num_areas) {
    chunk_.first_threshold = matches.first_threshold;
    chunk_.num_thresholds = matches.num_thresholds;
  }

  EventChunk write() {
    const std::span<const uint32_t> order = matches_.detections.order;
    for (size_t begin = 0; begin < order.size();) {
      size_t end = begin + 1;
      while (end < order.size() && is_equal(order[begin], order[end])) ++end;
      add(order.subspan(begin, end - begin));
      begin = end;
    }
    chunk_.falses.resize(chunk_.events.empty() ? 0 : chunk_.events.back().falses_end);
    chunk_.falses.shrink_to_fit();
    chunk_.events.shrink_to_fit();
    return std::move(chunk_);
  }

 private:
  bool is_equal(uint32_t a, uint32_t b) const {
    return matches_.images[a] == matches_.images[b] && matches_.detections.scores[a] == matches_.detections.scores[b];
  }

  const eval::Outcome& outcome(uint32_t place) const {
    return matches_.detections.outcomes[place * areas_ + matches_.area];
  }

  /// Detections of one image that have one score.
  void add(std::span<const uint32_t> places) {
    const auto is_true = [&](uint32_t place) { return outcome(place).true_positive != 0; };
    const auto is_false = [&](uint32_t place) { return outcome(place).false_positive != 0; };
    if (std::ranges::none_of(places, is_true) && is_wholly_false(places)) {
      for (const uint32_t place : places)
        if (is_false(place)) chunk_.falses.push_back(matches_.images[place]);
      return;
    }
    const size_t first = chunk_.events.size();
    for (const uint32_t place : places)
      if (is_true(place) || is_false(place))
        chunk_.events.push_back({.falses_end = static_cast<uint32_t>(chunk_.falses.size()),
                                 .image = matches_.images[place],
                                 .rank = matches_.detections.ranks[place],
                                 .num_equal = 1,
                                 .true_positive = outcome(place).true_positive,
                                 .false_positive = outcome(place).false_positive});
    chunk_.events[first].num_equal = static_cast<uint32_t>(chunk_.events.size() - first);
  }

  /// Whether each is false at all thresholds or ignored at all of them.
  bool is_wholly_false(std::span<const uint32_t> places) const {
    const auto all = static_cast<eval::ThresholdBits>((1U << matches_.num_thresholds) - 1);
    return std::ranges::all_of(places, [&](uint32_t place) {
      return outcome(place).false_positive == 0 || outcome(place).false_positive == all;
    });
  }

  const eval::CategoryMatches& matches_;
  size_t areas_;
  EventChunk chunk_;
};

}  // namespace

void MatchedEvents::add(const eval::CategoryMatches& matches) {
  EventList& list = lists_[matches.category * num_areas_ + matches.area];
  if (matches.first_threshold == 0) list.objects.assign(matches.objects.begin(), matches.objects.end());
  list.chunks.push_back(EventWriter(matches, num_areas_).write());
}

}  // namespace effdet::analysis
