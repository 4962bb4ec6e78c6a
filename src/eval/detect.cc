// Candidate boxes with the highest logits, decoded, suppressed and scaled to the image.
#include "eval/detect.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/box_arithmetic.h"
#include "base/checked.h"
#include "base/error.h"
#include "eval/nms.h"
#include "eval/top_k.h"

namespace effdet::eval {
namespace {

/// Where a candidate's regression values lie.
struct Location {
  const HeadOutputs::Level* level;
  size_t cell;
  size_t anchor_of_cell;
};

void check_plane_count(size_t level, const char* what, std::span<const float> values, const FeatureSize& size,
                       int64_t planes) {
  const auto expected = checked_numel(std::vector<int64_t>{planes, size.height, size.width});
  if (!expected || values.size() != *expected) {
    bad_input("level {}: {} output has {} values, not {} planes of {}x{}", level, what, values.size(), planes,
              size.height, size.width);
  }
}

void check_sizes(const HeadOutputs& outputs, size_t num_anchors) {
  if (outputs.num_classes < 1 || outputs.anchors_per_cell < 1) {
    bad_input("head outputs: {} classes and {} anchors a cell", outputs.num_classes, outputs.anchors_per_cell);
  }
  size_t cells = 0;
  for (size_t i = 0; i < outputs.levels.size(); ++i) {
    const auto& level = outputs.levels[i];
    const FeatureSize size{level.height, level.width};
    check_plane_count(i, "class", level.classes, size, int64_t{outputs.anchors_per_cell} * outputs.num_classes);
    check_plane_count(i, "box", level.boxes, size, int64_t{outputs.anchors_per_cell} * 4);
    cells += static_cast<size_t>(level.height) * static_cast<size_t>(level.width);
  }
  if (cells * static_cast<size_t>(outputs.anchors_per_cell) != num_anchors) {
    bad_input("head outputs: {} cells of {} anchors, but there are {} anchor boxes", cells, outputs.anchors_per_cell,
              num_anchors);
  }
}

/// The classes that are asked for.
class Wanted {
 public:
  explicit Wanted(const std::vector<int>& categories) : categories_(categories) {}
  bool has(uint64_t label) const {
    return categories_.empty() || std::ranges::find(categories_, static_cast<int>(label) + 1) != categories_.end();
  }

 private:
  const std::vector<int>& categories_;
};

/// A logit below which no score reaches the threshold. Boxes of lower scores change nothing for those above, but for
/// soft-NMS, where all boxes have a say in how far classes are moved apart.
float lowest_logit(const DetectOptions& options) {
  constexpr double kRounding = 1e-6;  // of scores in float32, and more
  const double score = options.score_threshold - kRounding;
  if (options.soft_nms || score <= 0) return std::numeric_limits<float>::lowest();
  return static_cast<float>(std::log(score / (1 - score)));
}

/// The highest logits; indices are (cell * anchors_per_cell + anchor) * num_classes + class over all levels.
std::vector<Candidate> top_candidates(const HeadOutputs& outputs, const DetectOptions& options, const Wanted& wanted,
                                      DetectFaults& faults) {
  TopK top(static_cast<size_t>(std::max(options.max_candidates, 0)), lowest_logit(options));
  const auto planes = static_cast<size_t>(outputs.anchors_per_cell) * static_cast<size_t>(outputs.num_classes);
  uint64_t base = 0;
  for (const auto& level : outputs.levels) {
    const size_t cells = static_cast<size_t>(level.height) * static_cast<size_t>(level.width);
    for (size_t plane = 0; plane < planes; ++plane) {
      if (!wanted.has(plane % static_cast<size_t>(outputs.num_classes))) continue;
      top.offer(level.classes.subspan(plane * cells, cells), base + plane, planes);
    }
    base += cells * planes;
  }
  faults.nan_scores = top.saw_nan();
  return top.take();
}

/// The highest logit of each anchor of the plane's kind, cell by cell.
std::vector<float> best_of_classes(std::span<const float> classes, size_t cells, bool& saw_nan) {
  std::vector<float> best(cells, -std::numeric_limits<float>::infinity());
  for (size_t plane = 0; plane < classes.size(); plane += cells)
    for (size_t cell = 0; cell < cells; ++cell) {
      const float logit = classes[plane + cell];
      saw_nan |= logit != logit;
      if (logit > best[cell]) best[cell] = logit;
    }
  return best;
}

/// The first of the classes that has the logit.
uint64_t class_of(const Location& where, uint64_t num_classes, float logit) {
  const size_t cells = static_cast<size_t>(where.level->height) * static_cast<size_t>(where.level->width);
  const float* value = where.level->classes.data() + where.anchor_of_cell * num_classes * cells + where.cell;
  uint64_t label = 0;
  while (label + 1 < num_classes && value[label * cells] != logit) ++label;
  return label;
}

Location locate(const HeadOutputs& outputs, uint64_t anchor) {
  const auto per_cell = static_cast<uint64_t>(outputs.anchors_per_cell);
  uint64_t cell = anchor / per_cell;
  for (const auto& level : outputs.levels) {
    const uint64_t cells = static_cast<uint64_t>(level.height) * static_cast<uint64_t>(level.width);
    if (cell < cells) return {&level, cell, anchor % per_cell};
    cell -= cells;
  }
  fail(ErrorCode::kInternal, "anchor {} lies beyond the last level", anchor);
}

/// As top_candidates(), one for each anchor.
std::vector<Candidate> best_class_candidates(const HeadOutputs& outputs, const DetectOptions& options,
                                             const Wanted& wanted, DetectFaults& faults) {
  TopK top(static_cast<size_t>(std::max(options.max_candidates, 0)), lowest_logit(options));
  const auto anchors = static_cast<size_t>(outputs.anchors_per_cell),
             classes = static_cast<size_t>(outputs.num_classes);
  uint64_t base = 0;
  for (const auto& level : outputs.levels) {
    const size_t cells = static_cast<size_t>(level.height) * static_cast<size_t>(level.width);
    for (size_t anchor = 0; anchor < anchors; ++anchor) {
      const auto best =
          best_of_classes(level.classes.subspan(anchor * classes * cells, classes * cells), cells, faults.nan_scores);
      top.offer(best, base + anchor * classes, anchors * classes);
    }
    base += cells * anchors * classes;
  }
  std::vector<Candidate> candidates = top.take();
  for (Candidate& candidate : candidates)
    candidate.index += class_of(locate(outputs, candidate.index / classes), classes, candidate.logit);
  std::erase_if(candidates, [&](const Candidate& candidate) { return !wanted.has(candidate.index % classes); });
  return candidates;
}

/// Candidates with their regression values.
std::vector<CandidateBox> with_boxes(const HeadOutputs& outputs, std::span<const Candidate> candidates) {
  const auto num_classes = static_cast<uint64_t>(outputs.num_classes);
  std::vector<CandidateBox> boxes;
  boxes.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    const uint64_t anchor = candidate.index / num_classes;
    const Location where = locate(outputs, anchor);
    const size_t cells = static_cast<size_t>(where.level->height) * static_cast<size_t>(where.level->width);
    const float* code = where.level->boxes.data() + where.anchor_of_cell * 4 * cells + where.cell;
    boxes.push_back({candidate.logit, anchor, static_cast<int>(candidate.index % num_classes), code[0], code[cells],
                     code[2 * cells], code[3 * cells]});
  }
  return boxes;
}

std::vector<ScoredBox> decode_all(std::span<const Box> anchors, std::span<const CandidateBox> candidates,
                                  const ImageGeometry& geometry, DetectFaults& faults) {
  const BoxGeometry in_floats = box_geometry(geometry);
  std::vector<ScoredBox> found;
  found.reserve(candidates.size());
  for (const CandidateBox& candidate : candidates) {
    const auto& [logit, number, label, ty, tx, th, tw] = candidate;
    const Box& anchor = anchors[number];
    boxes::Corners box = boxes::decoded({anchor.x1, anchor.y1, anchor.x2, anchor.y2}, {ty, tx, th, tw});
    if (in_floats.clips) box = boxes::clipped(box, in_floats.clip_width, in_floats.clip_height);
    if (boxes::is_finite(box)) {
      found.push_back({box, boxes::score_of(logit), label});
    } else {
      faults.not_finite_box = true;
    }
  }
  return found;
}

/// From boxes in order of falling score to detections.
std::vector<Detection> suppress(std::span<const ScoredBox> boxes, const ImageGeometry& geometry,
                                const DetectOptions& options) {
  const auto limit = static_cast<size_t>(std::max(options.max_detections, 0));
  const auto kept = options.soft_nms
                        ? soft_nms(boxes, limit, options.agnostic, options.soft_linear ? options.iou_threshold : -1.0f)
                        : hard_nms(boxes, options.iou_threshold, limit, options.agnostic);
  const BoxGeometry in_floats = box_geometry(geometry);
  std::vector<Detection> detections;
  for (const auto& [box, score, label] : kept) {
    if (score < options.score_threshold) break;
    detections.push_back({box.x1 * in_floats.scale, box.y1 * in_floats.scale_y, box.x2 * in_floats.scale,
                          box.y2 * in_floats.scale_y, score, label + 1});
  }
  return detections;
}

}  // namespace

ImageGeometry letterbox_geometry(int width, int height, int model_height, int model_width) {
  const double resize = std::min(model_height / static_cast<double>(height), model_width / static_cast<double>(width));
  return {1.0 / resize, width, height};
}

BoxGeometry box_geometry(const ImageGeometry& geometry) {
  const auto scale = static_cast<float>(geometry.scale);
  const float scale_y = geometry.scale_y != 0 ? static_cast<float>(geometry.scale_y) : scale;
  if (geometry.clip != FeatureSize{0, 0})
    return {static_cast<float>(geometry.clip.width), static_cast<float>(geometry.clip.height), scale, scale_y, true};
  return {static_cast<float>(geometry.width) / scale, static_cast<float>(geometry.height) / scale, scale, scale_y,
          geometry.width > 0 && geometry.height > 0};
}

void check_options(const DetectOptions& options) {
  const auto check_threshold = [](std::string_view what, float value) {
    if (!(value >= 0 && value <= 1)) fail(ErrorCode::kUsage, "{} threshold of {} is not between 0 and 1", what, value);
  };
  check_threshold("a score", options.score_threshold);
  check_threshold("an IoU", options.iou_threshold);
  for (const int count : {options.max_candidates, options.max_detections})
    if (count < 1) fail(ErrorCode::kUsage, "{} boxes at most: there must be one at least", count);
}

std::vector<Detection> detect(const HeadOutputs& outputs, std::span<const Box> anchors, const ImageGeometry& geometry,
                              const DetectOptions& options, DetectFaults* faults) {
  check_sizes(outputs, anchors.size());
  DetectFaults found;
  const Wanted wanted(options.categories);
  const auto candidates = outputs.best_class_only ? best_class_candidates(outputs, options, wanted, found)
                                                  : top_candidates(outputs, options, wanted, found);
  const auto boxes = decode_all(anchors, with_boxes(outputs, candidates), geometry, found);
  if (faults != nullptr) *faults = found;
  return suppress(boxes, geometry, options);
}

std::vector<Detection> detect(std::span<const CandidateBox> candidates, std::span<const Box> anchors,
                              const ImageGeometry& geometry, const DetectOptions& options, DetectFaults& faults) {
  const Wanted wanted(options.categories);
  std::vector<CandidateBox> chosen;
  for (const CandidateBox& candidate :
       candidates.first(std::min(candidates.size(), static_cast<size_t>(std::max(options.max_candidates, 0)))))
    if (wanted.has(static_cast<uint64_t>(candidate.label))) chosen.push_back(candidate);
  return suppress(decode_all(anchors, chosen, geometry, faults), geometry, options);
}

}  // namespace effdet::eval
