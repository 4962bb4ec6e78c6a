// Anchors cell by cell and level by level, with numpy's rounding, so that they equal effdet's in every bit.
#include "eval/anchors.h"

#include <cmath>

#include "base/error.h"

namespace effdet::eval {
namespace {

constexpr int kMaxSide = 1 << 16;
constexpr int kMaxLevel = 16;

void check(const AnchorConfig& config) {
  if (config.min_level < 0 || config.max_level < config.min_level || config.max_level > kMaxLevel) {
    fail(ErrorCode::kUsage, "anchors: levels {} to {} make no pyramid", config.min_level, config.max_level);
  }
  if (config.image_height < 1 || config.image_width < 1 || config.image_height > kMaxSide ||
      config.image_width > kMaxSide) {
    fail(ErrorCode::kUsage, "anchors: image size {}x{} is not within 1..{}", config.image_height, config.image_width,
         kMaxSide);
  }
  const size_t scales = config.anchor_scale.size();
  if (scales != 1 && scales != static_cast<size_t>(config.num_levels())) {
    fail(ErrorCode::kUsage, "anchors: {} anchor scales for {} levels; give one, or one a level", scales,
         config.num_levels());
  }
  if (config.num_scales < 1 || config.num_scales > 64 || config.aspect_ratios.empty() ||
      config.aspect_ratios.size() > 64) {
    fail(ErrorCode::kUsage, "anchors: {} scales with {} aspect ratios", config.num_scales, config.aspect_ratios.size());
  }
}

/// numpy.arange(stride / 2, size, stride): numpy takes the step from its first two values, which rounds differently
/// from multiplying the stride when that is not a whole number.
std::vector<double> cell_centres(double stride, int size) {
  const double first = stride / 2;
  const double step = (first + stride) - first;
  const auto count = static_cast<size_t>(std::ceil((size - first) / stride));
  std::vector<double> centres(count);
  for (size_t i = 0; i < count; ++i) centres[i] = first + static_cast<double>(i) * step;
  return centres;
}

/// Half the height and width of each anchor of a cell.
std::vector<std::pair<double, double>> half_sizes(const AnchorConfig& config, double anchor_scale, double stride_y,
                                                  double stride_x) {
  std::vector<std::pair<double, double>> result;
  for (int scale = 0; scale < config.num_scales; ++scale) {
    const double octave = std::pow(2.0, scale / static_cast<double>(config.num_scales));
    const double base_x = anchor_scale * stride_x * octave;
    const double base_y = anchor_scale * stride_y * octave;
    for (auto [aspect_x, aspect_y] : config.aspect_ratios) {
      result.emplace_back(base_y * aspect_y / 2.0, base_x * aspect_x / 2.0);
    }
  }
  return result;
}

}  // namespace

std::vector<FeatureSize> feature_sizes(const AnchorConfig& config) {
  check(config);
  std::vector<FeatureSize> sizes;
  FeatureSize size{config.image_height, config.image_width};
  for (int level = 0; level <= config.max_level; ++level) {
    if (level > 0) size = {(size.height - 1) / 2 + 1, (size.width - 1) / 2 + 1};
    if (level >= config.min_level) sizes.push_back(size);
  }
  return sizes;
}

std::vector<Box> make_anchors(const AnchorConfig& config) {
  const auto sizes = feature_sizes(config);
  std::vector<Box> anchors;
  for (size_t level = 0; level < sizes.size(); ++level) {
    const double stride_y = config.image_height / static_cast<double>(sizes[level].height);
    const double stride_x = config.image_width / static_cast<double>(sizes[level].width);
    const double anchor_scale = config.anchor_scale[config.anchor_scale.size() == 1 ? 0 : level];
    const auto halves = half_sizes(config, anchor_scale, stride_y, stride_x);
    const auto columns = cell_centres(stride_x, config.image_width);
    for (double y : cell_centres(stride_y, config.image_height)) {
      for (double x : columns) {
        for (auto [half_y, half_x] : halves) {
          anchors.push_back({static_cast<float>(y - half_y), static_cast<float>(x - half_x),
                             static_cast<float>(y + half_y), static_cast<float>(x + half_x)});
        }
      }
    }
  }
  return anchors;
}

}  // namespace effdet::eval
