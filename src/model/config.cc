// Which sides, batches and class counts a variant can be built for.
#include "model/config.h"

#include <algorithm>

#include "base/error.h"

namespace effdet::model {
namespace {

constexpr int kSideStep = 128;
constexpr int kMaxSide = 16384;
constexpr int kMaxBatch = 1024;
constexpr double kMaxAnchorFactor = 1000;

/// zylo117's pyramid doubles sizes on the way down, which odd ones would not survive.
int side_step(const Variant& variant) {
  return variant.whole_strides ? std::max(kSideStep, 1 << variant.max_level) : kSideStep;
}

/// Below 2^max_level two coarse levels have a side of one cell, and effdet's downsampling between them is undefined.
int min_side(const Variant& variant) { return std::max(kSideStep, 1 << variant.max_level); }

bool is_legal_side(int side, int own, const Variant& variant) {
  return side == own || (side % side_step(variant) == 0 && side >= min_side(variant) && side <= kMaxSide);
}

int nearest_legal_side(int side, int own, const Variant& variant) {
  const int clamped = std::clamp(side, min_side(variant), kMaxSide);
  const int step = side_step(variant);
  const int multiple = std::clamp((clamped + step / 2) / step * step, min_side(variant), kMaxSide);
  return std::abs(own - clamped) < std::abs(multiple - clamped) ? own : multiple;
}

void check_range(std::string_view what, int value, int max) {
  if (value < 1 || value > max) fail(ErrorCode::kUsage, "{} {} is not in 1..{}", what, value, max);
}

}  // namespace

ModelConfig default_config(const Variant& variant, int num_classes) {
  ModelConfig config;
  config.variant = variant;
  config.num_classes = num_classes;
  config.image_height = variant.image_height;
  config.image_width = variant.image_width;
  config.aspect_ratios.assign(variant.aspect_ratios.begin(), variant.aspect_ratios.end());
  config.num_scales = variant.num_scales;
  config.anchor_scale = variant.anchor_scale;
  return config;
}

void apply_anchors(const AnchorOptions& options, ModelConfig& config) {
  const auto check_factor = [](std::string_view what, double factor) {
    if (!(factor > 0) || factor > kMaxAnchorFactor)
      fail(ErrorCode::kUsage, "{} {} is not above 0 and at most {}", what, factor, kMaxAnchorFactor);
  };
  if (options.anchor_scale != 0) {
    check_factor("the anchor scale", options.anchor_scale);
    config.anchor_scale = options.anchor_scale;
  }
  if (options.num_scales != 0) config.num_scales = options.num_scales;
  if (options.aspect_ratios.empty()) return;
  for (const auto& [width, height] : options.aspect_ratios) {
    check_factor("the aspect ratio's width", width);
    check_factor("the aspect ratio's height", height);
  }
  config.aspect_ratios = options.aspect_ratios;
}

std::vector<std::pair<int, int>> feature_sizes(int image_height, int image_width, int max_level) {
  std::vector<std::pair<int, int>> sizes = {{image_height, image_width}};
  for (int level = 1; level <= max_level; ++level)
    sizes.emplace_back((sizes.back().first + 1) / 2, (sizes.back().second + 1) / 2);
  return sizes;
}

void check_image_size(const Variant& variant, int height, int width) {
  const bool legal =
      is_legal_side(height, variant.image_height, variant) && is_legal_side(width, variant.image_width, variant);
  if (legal) return;
  fail(ErrorCode::kUsage, "image size {} x {} (height x width) does not suit {}: the nearest that does is {} {}",
       height, width, variant.name, nearest_legal_side(height, variant.image_height, variant),
       nearest_legal_side(width, variant.image_width, variant));
}

void check_config(const ModelConfig& config) {
  if (config.variant.name.empty()) fail(ErrorCode::kInternal, "a model configuration without a variant");
  check_image_size(config.variant, config.image_height, config.image_width);
  check_range("the number of classes", config.num_classes, kMaxClasses);
  check_range("batch size", config.batch, kMaxBatch);
  check_range("the number of scales", config.num_scales, kMaxAnchors);
  check_range("the number of aspect ratios", static_cast<int>(config.aspect_ratios.size()), kMaxAnchors);
  check_range("the number of anchors of a cell", config.anchors(), kMaxAnchors);
  if (!config.class_names.empty() && static_cast<int>(config.class_names.size()) != config.num_classes)
    fail(ErrorCode::kUsage, "{} class names for {} classes", config.class_names.size(), config.num_classes);
}

}  // namespace effdet::model
