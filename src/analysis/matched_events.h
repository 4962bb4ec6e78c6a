// What is kept of an evaluation so that it can be accumulated again with other weights of the images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "eval/coco_eval.h"
#include "eval/coco_params.h"

namespace effdet::analysis {

/// A detection that is true at one IoU threshold or more, or has the score of such a one in the same image.
struct MatchEvent {
  uint32_t falses_end;  ///< of the detections before it that are false at all thresholds
  uint32_t image;       ///< place in the parameters' list
  uint32_t rank;        ///< how many of its image and category are before it
  /// Of the first of several with one score in one image: how many there are. They lie together, and where an image is
  /// taken twice, so are they, one after the other.
  uint32_t num_equal;
  eval::ThresholdBits true_positive, false_positive;
};

/// A category in an area range, at a chunk of thresholds, in order of falling score.
struct EventChunk {
  size_t first_threshold = 0, num_thresholds = 0;
  std::vector<MatchEvent> events;
  /// Images of the detections that are false at all thresholds, as far as an event follows.
  std::vector<uint32_t> falses;
};

struct EventList {
  std::vector<uint32_t> objects;  ///< images of the objects that are to be found, one for each
  std::vector<EventChunk> chunks;
};

/// Filled in by an evaluation, by way of see(). Takes 4 bytes a result and area range, 20 more where it is true.
class MatchedEvents {
 public:
  explicit MatchedEvents(const eval::CocoParams& settled)
      : num_areas_(settled.area_ranges.size()),
        lists_((settled.use_categories ? settled.category_ids.size() : 1) * num_areas_) {}

  /// For evaluate_coco(). The object must outlive it.
  eval::SeeMatches see() {
    return [this](const eval::CategoryMatches& matches) { add(matches); };
  }

  size_t num_categories() const { return lists_.size() / num_areas_; }
  size_t num_areas() const { return num_areas_; }
  const EventList& of(size_t category, size_t area) const { return lists_[category * num_areas_ + area]; }

 private:
  void add(const eval::CategoryMatches& matches);

  size_t num_areas_;
  std::vector<EventList> lists_;  ///< [categories, area ranges]
};

}  // namespace effdet::analysis
