// Anchors, level order and image geometry of a model, for decoding its heads.
#include "detection/head_decoder.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "detection/preprocessing.h"
#include "ops/fused/top_candidates.h"

namespace effdet::detection {

eval::AnchorConfig anchor_config(const model::ModelInfo& info, int height, int width) {
  return {.min_level = info.min_level,
          .max_level = info.max_level,
          .num_scales = info.num_scales,
          .aspect_ratios = info.aspect_ratios,
          .anchor_scale = {info.anchor_scale},
          .image_height = height,
          .image_width = width};
}

HeadDecoder::HeadDecoder(const model::ModelInfo& info, int height, int width)
    : input_(input_of(info, height, width)),
      selection_(info.selection),
      num_classes_(info.num_classes),
      label_offset_(info.label_offset),
      config_(anchor_config(info, height, width)),
      levels_(eval::feature_sizes(config_)),
      anchors_(eval::make_anchors(config_)) {}

eval::LevelLayout HeadDecoder::layout_of(std::span<const uint64_t> value_counts) const {
  std::vector<uint64_t> sizes;
  for (const uint64_t count : value_counts) sizes.push_back(count * sizeof(float));
  return eval::match_levels(sizes, levels_, num_classes_, anchors_per_cell());
}

eval::ImageGeometry HeadDecoder::geometry_of(vision::ImageSize image) const {
  eval::ImageGeometry geometry = eval::letterbox_geometry(image.width, image.height, input_.height, input_.width);
  if (input_.sampled) {  // back by each side's own ratio
    const vision::ImageSize size = vision::letterbox(image, input_).size;
    geometry.scale = static_cast<double>(image.width) / size.width;
    geometry.scale_y = static_cast<double>(image.height) / size.height;
  }
  if (selection_ == model::Selection::kBestClass) geometry.clip = {input_.height - 1, input_.width - 1};
  return geometry;
}

std::vector<Detection> HeadDecoder::decode(std::span<const std::span<const float>> outputs,
                                           const eval::LevelLayout& layout, vision::ImageSize image,
                                           const DetectOptions& options, eval::DetectFaults* faults) const {
  eval::HeadOutputs heads{.levels = {},
                          .num_classes = num_classes_,
                          .anchors_per_cell = anchors_per_cell(),
                          .best_class_only = selection_ == model::Selection::kBestClass};
  for (size_t i = 0; i < levels_.size(); ++i) {
    const eval::LevelFiles& level = layout.levels[i];
    heads.levels.push_back({outputs[level.classes], outputs[level.boxes], levels_[i].height, levels_[i].width});
  }
  return by_category(eval::detect(heads, anchors_, geometry_of(image), by_label(options), faults));
}

std::vector<Detection> HeadDecoder::decode_candidates(std::span<const float> rows, vision::ImageSize image,
                                                      const DetectOptions& options, eval::DetectFaults& faults) const {
  constexpr auto kValues = static_cast<size_t>(ops::kCandidateValues);
  if (static_cast<size_t>(std::max(options.max_candidates, 0)) > rows.size() / kValues)
    fail(ErrorCode::kUsage, "the model gives {} candidates of an image, not {}", rows.size() / kValues,
         options.max_candidates);
  std::vector<eval::CandidateBox> candidates;
  for (size_t at = 0; at + kValues <= rows.size(); at += kValues) {
    const auto row = rows.subspan(at, kValues);
    if (row[0] == -std::numeric_limits<float>::infinity()) break;  // filled up from here on
    // Another model's file may say anything.
    if (!(row[1] >= 0 && row[1] < static_cast<float>(anchors_.size()) && row[2] >= 0 &&
          row[2] < static_cast<float>(num_classes_)))
      bad_input("candidate {} is of anchor {} and class {}, of {} and {}", at / kValues, row[1], row[2],
                anchors_.size(), num_classes_);
    candidates.push_back(
        {row[0], static_cast<uint64_t>(row[1]), static_cast<int>(row[2]), row[3], row[4], row[5], row[6]});
  }
  return decode_candidates(std::span<const eval::CandidateBox>(candidates), image, options, faults);
}

std::vector<Detection> HeadDecoder::decode_candidates(std::span<const eval::CandidateBox> candidates,
                                                      vision::ImageSize image, const DetectOptions& options,
                                                      eval::DetectFaults& faults) const {
  return by_category(eval::detect(candidates, anchors_, geometry_of(image), by_label(options), faults));
}

kernels::BoxImage HeadDecoder::box_image(vision::ImageSize image) const {
  const eval::BoxGeometry geometry = eval::box_geometry(geometry_of(image));
  return {geometry.clip_width, geometry.clip_height, geometry.scale, geometry.scale_y, geometry.clips ? 1 : 0};
}

std::vector<uint8_t> HeadDecoder::wanted_classes(const DetectOptions& options) const {
  if (options.categories.empty()) return {};
  std::vector<uint8_t> wanted(static_cast<size_t>(num_classes_), 0);
  for (const int category : by_label(options).categories)
    if (category >= 1 && category <= num_classes_) wanted[static_cast<size_t>(category - 1)] = 1;
  return wanted;
}

std::vector<Detection> HeadDecoder::detections_of(const kernels::SelectedBoxes& selected) const {
  std::vector<Detection> detections;
  for (const auto& [x1, y1, x2, y2, score, label] : selected.boxes)
    detections.push_back({x1, y1, x2, y2, score, label + 1});
  return by_category(std::move(detections));
}

DetectOptions HeadDecoder::by_label(const DetectOptions& options) const {
  DetectOptions own = options;
  for (int& category : own.categories) category -= label_offset_ - 1;
  return own;
}

std::vector<Detection> HeadDecoder::by_category(std::vector<Detection> detections) const {
  for (Detection& detection : detections) detection.category += label_offset_ - 1;
  return detections;
}

}  // namespace effdet::detection
