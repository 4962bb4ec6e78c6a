// Anchors, level order and image geometry of a model, for decoding its heads.
#include "detection/head_decoder.h"

#include "detection/preprocessing.h"

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
  DetectOptions by_label = options;  // detect() counts classes from 1
  for (int& category : by_label.categories) category -= label_offset_ - 1;
  std::vector<Detection> detections = eval::detect(heads, anchors_, geometry_of(image), by_label, faults);
  for (Detection& detection : detections) detection.category += label_offset_ - 1;
  return detections;
}

}  // namespace effdet::detection
