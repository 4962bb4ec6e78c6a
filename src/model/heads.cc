// The class and box heads: convolutions shared by all levels, batch norms of each level's own.
#include "model/network.h"

namespace effdet::model {
namespace {

struct HeadWeights {
  std::vector<FilterWeights> convs;                  // by repeat
  std::vector<std::vector<BatchNormWeights>> norms;  // by repeat, then level
  FilterWeights predict;
};

/// Looked up in the checkpoint's order: all convolutions, then all batch norms, then the prediction.
HeadWeights head_weights(Layers& layers, const ModelConfig& config, const std::string& name, int outputs) {
  const Variant& variant = config.variant;
  const int64_t channels = variant.fpn_channels;
  const int repeats = variant.box_class_repeats, levels = variant.levels();
  HeadWeights weights;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const std::string module = name + ".conv_rep." + std::to_string(repeat);
    weights.convs.push_back(
        layers.filter_weights(module, channels, channels, variant.redundant_bias, variant.separable));
  }
  weights.norms.assign(static_cast<size_t>(repeats), std::vector<BatchNormWeights>(static_cast<size_t>(levels)));
  const auto look_up = [&](int repeat, int level, const std::string& module) {
    weights.norms[static_cast<size_t>(repeat)][static_cast<size_t>(level)] =
        layers.batch_norm_weights(module, channels, variant.bn_epsilon);
  };
  const std::string bn_rep = name + ".bn_rep.";
  if (variant.head_bn_level_first) {
    for (int level = 0; level < levels; ++level)
      for (int repeat = 0; repeat < repeats; ++repeat)
        look_up(repeat, level, bn_rep + std::to_string(level) + "." + std::to_string(repeat));
  } else {
    for (int repeat = 0; repeat < repeats; ++repeat)
      for (int level = 0; level < levels; ++level)
        look_up(repeat, level, bn_rep + std::to_string(repeat) + "." + std::to_string(level) + ".bn");
  }
  weights.predict =
      layers.filter_weights(name + ".predict", channels, outputs * config.anchors(), true, variant.separable);
  return weights;
}

}  // namespace

std::vector<Feature> build_head(Layers& layers, const ModelConfig& config, const std::vector<Feature>& features,
                                const std::string& name, int outputs) {
  const Variant& variant = config.variant;
  const Activation activation = variant.head_activation.value_or(variant.activation);
  const HeadWeights weights = head_weights(layers, config, name, outputs);
  std::vector<Feature> predictions;
  for (size_t level = 0; level < features.size(); ++level) {
    const std::string node = "/" + name + "/level" + std::to_string(variant.min_level + static_cast<int>(level));
    Feature x = features[level];
    for (size_t repeat = 0; repeat < weights.convs.size(); ++repeat) {
      const std::string index = "/" + std::to_string(repeat);
      x = layers.filter(x, weights.convs[repeat], variant.padding, node + "/conv_rep" + index);
      x = layers.batch_norm(x, weights.norms[repeat][level], node + "/bn_rep" + index);
      x = layers.activate(x, activation, node + "/act" + index);
    }
    predictions.push_back(layers.filter(x, weights.predict, variant.padding, node + "/predict"));
  }
  return predictions;
}

}  // namespace effdet::model
