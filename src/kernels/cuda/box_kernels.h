// From rows of candidates to detections: boxes, and hard suppression of those that overlap better ones.
#pragma once

#include "base/box_arithmetic.h"
#include "kernels/cuda/number.h"
#include "kernels/selected_box.h"

namespace effdet::kernels::cuda {

/// A candidate's box.
struct PlacedBox {
  boxes::Corners corners;
  float score;
  int32_t label;  ///< below 0: it is none that counts
};

/// What is counted of an image; it begins with zeros.
struct BoxCounts {
  uint32_t kept, not_finite, senseless;
};

struct BoxArgs {
  static constexpr int kValues = 7;
  const float* rows;     ///< [images][candidates][kValues], logits falling
  const float* anchors;  ///< [anchors][4]: y1, x1, y2, x2
  const BoxImage* images;
  const uint8_t* wanted;  ///< by class; null: all are
  PlacedBox* placed;      ///< [images][considered]
  BoxCounts* counts;      ///< by image
  SelectedBox* kept;      ///< [images][most]
  int64_t image_count;
  int64_t anchor_count;
  int candidates, considered, most, classes;
  float iou_threshold, score_threshold;
  int32_t agnostic;
};

/// A thread for each candidate that is considered.
struct PlaceBoxes {
  using Args = BoxArgs;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    block.each([&](int thread) {
      const int64_t at = block.index() * block.threads() + thread;
      if (at >= a.image_count * a.considered) return;
      const int64_t image = at / a.considered;
      a.placed[at] = placed(block, a, image, a.rows + (image * a.candidates + at % a.considered) * Args::kValues);
    });
  }

 private:
  template <typename Block>
  static EFFDET_CUDA PlacedBox placed(Block& block, const Args& a, int64_t image, const float* row) {
    PlacedBox box{{0, 0, 0, 0}, 0, -1};
    if (row[0] == -INFINITY) return box;  // filled up
    // As floats: what another model's file makes of them may be no number of an array's element.
    if (!(row[1] >= 0 && row[1] < static_cast<float>(a.anchor_count) && row[2] >= 0 &&
          row[2] < static_cast<float>(a.classes))) {
      block.add(&a.counts[image].senseless, 1);
      return box;
    }
    const int label = static_cast<int>(row[2]);
    if (a.wanted != nullptr && a.wanted[label] == 0) return box;
    const float* anchor = a.anchors + static_cast<int64_t>(row[1]) * 4;
    box.corners = boxes::decoded({anchor[1], anchor[0], anchor[3], anchor[2]}, {row[3], row[4], row[5], row[6]});
    const BoxImage& place = a.images[image];
    if (place.clips != 0) box.corners = boxes::clipped(box.corners, place.clip_width, place.clip_height);
    if (!boxes::is_finite(box.corners)) {
      block.add(&a.counts[image].not_finite, 1);
      return box;
    }
    box.score = boxes::score_of(row[0]);
    box.label = label;
    return box;
  }
};

/// Goes through an image's boxes kTogether at a time: all are compared with those that are kept and with those before
/// them at the same time; then one thread decides about them in their order. A block for each image.
struct SuppressBoxes {
  using Args = BoxArgs;
  static constexpr int kTogether = 64, kLanes = 4, kThreads = kTogether * kLanes;
  static constexpr int kOfLane = kTogether / kLanes;  ///< earlier boxes of the same turn that a thread looks at

  struct Shared {
    uint64_t overlaps[kThreads];  ///< with boxes of the turn, by box and lane
    uint32_t is_gone[kThreads];
    uint32_t kept, is_done;
  };
  static constexpr int64_t kSharedBytes = sizeof(Shared);

  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const int64_t image = block.index();
    const PlacedBox* all = a.placed + image * a.considered;
    SelectedBox* kept = a.kept + image * a.most;
    Shared& shared = *block.template shared<Shared>();
    block.each([&](int thread) {
      if (thread == 0) shared.kept = shared.is_done = 0;
    });
    for (int first = 0; first < a.considered && shared.is_done == 0; first += kTogether) {
      const int count = a.considered - first < kTogether ? a.considered - first : kTogether;
      block.each([&](int thread) { compare(a, all + first, count, kept, thread, shared); });
      block.each([&](int thread) {
        if (thread == 0) decide(a, all + first, count, kept, shared);
      });
    }
    block.each([&](int thread) {
      const BoxImage& place = a.images[image];
      for (int i = thread; i < static_cast<int>(shared.kept); i += kThreads) {
        SelectedBox& box = kept[i];
        box = {boxes::times(box.x1, place.scale_x),
               boxes::times(box.y1, place.scale_y),
               boxes::times(box.x2, place.scale_x),
               boxes::times(box.y2, place.scale_y),
               box.score,
               box.label};
      }
      if (thread == 0) a.counts[image].kept = shared.kept;
    });
  }

 private:
  static EFFDET_CUDA void compare(const Args& a, const PlacedBox* boxes, int count, const SelectedBox* kept, int thread,
                                  Shared& shared) {
    const int number = thread / kLanes, lane = thread % kLanes;
    bool is_gone = number >= count || boxes[number].label < 0;
    uint64_t overlaps = 0;
    if (!is_gone) {
      const PlacedBox box = boxes[number];
      for (int i = lane; i < static_cast<int>(shared.kept) && !is_gone; i += kLanes)
        is_gone = suppresses(a, {kept[i].x1, kept[i].y1, kept[i].x2, kept[i].y2}, kept[i].label, box);
      for (int i = lane * kOfLane; i < (lane + 1) * kOfLane && i < number; ++i)
        if (boxes[i].label >= 0 && suppresses(a, boxes[i].corners, boxes[i].label, box)) overlaps |= uint64_t{1} << i;
    }
    shared.is_gone[thread] = is_gone ? 1 : 0;
    shared.overlaps[thread] = overlaps;
  }

  static EFFDET_CUDA bool suppresses(const Args& a, const boxes::Corners& better, int label, const PlacedBox& box) {
    return (a.agnostic != 0 || label == box.label) && boxes::iou(better, box.corners) > a.iou_threshold;
  }

  static EFFDET_CUDA void decide(const Args& a, const PlacedBox* boxes, int count, SelectedBox* kept, Shared& shared) {
    uint64_t of_turn = 0;  // those that were kept
    for (int i = 0; i < count; ++i) {
      uint32_t is_gone = 0;
      uint64_t overlaps = 0;
      for (int lane = 0; lane < kLanes; ++lane) {
        is_gone |= shared.is_gone[i * kLanes + lane];
        overlaps |= shared.overlaps[i * kLanes + lane];
      }
      if (is_gone != 0 || (overlaps & of_turn) != 0) continue;
      const PlacedBox& box = boxes[i];
      if (box.score < a.score_threshold) {  // so are all that follow
        shared.is_done = 1;
        return;
      }
      kept[shared.kept++] = {box.corners.x1, box.corners.y1, box.corners.x2, box.corners.y2, box.score, box.label};
      of_turn |= uint64_t{1} << i;
      if (shared.kept == static_cast<uint32_t>(a.most)) {
        shared.is_done = 1;
        return;
      }
    }
  }
};

}  // namespace effdet::kernels::cuda
