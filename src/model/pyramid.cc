// The feature pyramid as effdet 0.4.1 builds it: extra coarse levels, then cells of nodes that resample, join and
// filter.
#include <algorithm>
#include <cmath>

#include "model/network.h"

namespace effdet::model {
namespace {

/// max(w_i, 0) / (their sum + 1e-4), in double and rounded once.
std::vector<float> fast_attention(std::span<const float> weights) {
  std::vector<float> factors;
  double sum = 0;
  for (const float w : weights) sum += std::max(w, 0.0f);
  for (const float w : weights) factors.push_back(static_cast<float>(std::max(w, 0.0f) / (sum + 1e-4)));
  return factors;
}

std::vector<float> softmax(std::span<const float> weights) {
  std::vector<float> factors;
  const double largest = *std::ranges::max_element(weights);
  double sum = 0;
  for (const float w : weights) sum += std::exp(w - largest);
  for (const float w : weights) factors.push_back(static_cast<float>(std::exp(w - largest) / sum));
  return factors;
}

class PyramidBuilder {
 public:
  PyramidBuilder(Layers& layers, const ModelConfig& config)
      : layers_(layers),
        variant_(config.variant),
        sizes_(feature_sizes(config.image_height, config.image_width, variant_.max_level)) {}

  std::vector<Feature> build(std::vector<Feature> features) {
    for (int level = static_cast<int>(features.size()); level < variant_.levels(); ++level)
      features.push_back(
          resample(features.back(), variant_.min_level + level, "fpn.resample." + std::to_string(level)));
    const auto nodes = pyramid_nodes(variant_.pyramid, variant_.min_level, variant_.max_level);
    for (int i = 0; i < variant_.fpn_cell_repeats; ++i)
      features = cell(std::move(features), nodes, "fpn.cell." + std::to_string(i));
    return features;
  }

 private:
  std::vector<Feature> cell(std::vector<Feature> features, const std::vector<FusionNode>& nodes,
                            const std::string& module) {
    for (size_t i = 0; i < nodes.size(); ++i) {
      const std::string node_module = module + ".fnode." + std::to_string(i);
      const Feature joined = combine(features, nodes[i], node_module + ".combine");
      features.push_back(after_combine(joined, node_module + ".after_combine"));
    }
    return {features.end() - variant_.levels(), features.end()};
  }

  Feature combine(const std::vector<Feature>& features, const FusionNode& node, const std::string& module) {
    const std::vector<float> factors = fusion_factors(node, module);
    Feature sum;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const std::string index = std::to_string(node.inputs[i]);
      Feature x = resample(features[static_cast<size_t>(node.inputs[i])], node.level, module + ".resample." + index);
      if (!factors.empty())
        x = layers_.scale(x, factors[i], module + ".factor." + index, node_path(module) + "/" + index);
      sum = i == 0 ? x : layers_.add(sum, x, node_path(module) + "/sum" + std::to_string(i));
    }
    return sum;
  }

  /// Nothing for a plain sum.
  std::vector<float> fusion_factors(const FusionNode& node, const std::string& module) {
    const size_t count = node.inputs.size();
    const Fusion fusion = node.always_weighted ? Fusion::kFastAttention : variant_.fusion;
    if (fusion == Fusion::kSum) {
      if (variant_.idle_fusion_weights) look_up_idle_weights(node, module);
      return {};
    }
    const Tensor weights = layers_.raw_weight(module + ".edge_weights", {static_cast<int64_t>(count)});
    if (weights.empty()) return std::vector<float>(count, 1.0f);
    return fusion == Fusion::kSoftmax ? softmax(weights.data<float>()) : fast_attention(weights.data<float>());
  }

  /// The weights of the sums up to level 7, where the way up ends, even in a pyramid that has a level 8.
  void look_up_idle_weights(const FusionNode& node, const std::string& module) {
    constexpr int kTop = 7;
    const int inputs = static_cast<int>(node.inputs.size());
    const bool is_way_down = inputs == 2 && node.level < variant_.max_level;
    if (node.level > kTop || (node.level == kTop && is_way_down)) return;
    layers_.raw_weight(module + ".edge_weights", {node.level == kTop ? 2 : inputs});
  }

  Feature after_combine(const Feature& x, const std::string& module) {
    const std::string conv = module + ".conv", act = node_path(module) + "/act";
    const Feature before = variant_.activation_last ? x : layers_.activate(x, variant_.activation, act);
    // effdet gives the convolution of the other order no bias at all.
    const bool bias = variant_.redundant_bias && !variant_.activation_last;
    const auto weights = layers_.filter_weights(conv, x.channels, x.channels, bias, variant_.separable);
    const Feature filtered = norm(layers_.filter(before, weights, variant_.padding, node_path(conv)), conv + ".bn");
    return variant_.activation_last ? layers_.activate(filtered, variant_.activation, act) : filtered;
  }

  /// To the pyramid's width, then to the level's size: the convolution comes first, as effdet has it.
  Feature resample(Feature x, int level, const std::string& module) {
    if (x.channels != variant_.fpn_channels) {
      const std::string conv = module + ".conv.conv";
      const bool bias = variant_.redundant_bias || !variant_.resample_norm;
      const auto weights = layers_.conv_weights(conv, x.channels, variant_.fpn_channels, 1, bias);
      x = layers_.conv(x, weights, 1, variant_.padding, node_path(conv));
      if (variant_.resample_norm) x = norm(x, module + ".conv.bn");
    }
    const auto [height, width] = sizes_[static_cast<size_t>(level)];
    if (x.height > height && x.width > width) return downsample(x, height, width, node_path(module) + "/downsample");
    if (x.height < height || x.width < width)
      return layers_.resize(x, height, width, variant_.upsampling == Upsampling::kBilinear,
                            node_path(module) + "/upsample");
    return x;
  }

  Feature downsample(const Feature& x, int height, int width, const std::string& node) {
    if (variant_.downsampling == Downsampling::kBilinear || variant_.downsampling == Downsampling::kNearest)
      return layers_.resize(x, height, width, variant_.downsampling == Downsampling::kBilinear, node);
    const int stride_h = static_cast<int>((x.height - 1) / height + 1);
    const int stride_w = static_cast<int>((x.width - 1) / width + 1);
    const int kernel_h = stride_h + 1, kernel_w = stride_w + 1;
    if (variant_.downsampling == Downsampling::kAveragePool)
      return layers_.average_pool(x, kernel_h, kernel_w, stride_h, stride_w, variant_.padding, node);
    if (!variant_.zero_padded_pools)
      return layers_.max_pool(x, kernel_h, kernel_w, stride_h, stride_w, variant_.padding, node);
    const Feature padded = layers_.pad(x, kernel_h, kernel_w, stride_h, stride_w, variant_.padding, node);
    return layers_.max_pool(padded, kernel_h, kernel_w, stride_h, stride_w, Padding::kNone, node);
  }

  Feature norm(const Feature& x, const std::string& module) {
    const auto weights = layers_.batch_norm_weights(module, x.channels, variant_.bn_epsilon);
    return layers_.batch_norm(x, weights, node_path(module));
  }

  Layers& layers_;
  const Variant& variant_;                  // of the config
  std::vector<std::pair<int, int>> sizes_;  // by level, from 0
};

}  // namespace

std::vector<Feature> build_pyramid(Layers& layers, const ModelConfig& config, std::vector<Feature> features) {
  return PyramidBuilder(layers, config).build(std::move(features));
}

}  // namespace effdet::model
