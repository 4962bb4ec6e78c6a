// Convolutions, norms and activations of backbones with their names in timm, and the features for the pyramid.
#include "model/backbone.h"

#include <cmath>

#include "base/error.h"

namespace effdet::model {

int round_channels(double channels) {
  const int rounded = std::max(8, static_cast<int>(channels + 4) / 8 * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

int stage_repeats(const BackboneSpec& spec, size_t stage) {
  const int base = spec.stages[stage].repeats;
  const bool is_end = stage == 0 || stage + 1 == spec.stages.size();
  return spec.fixed_ends && is_end ? base : static_cast<int>(std::ceil(base * spec.depth));
}

Feature BackboneLayers::conv(const Feature& x, const std::string& module, int64_t out, int kernel, int stride,
                             int64_t groups) {
  const ConvWeights weights = layers.conv_weights(module, x.channels, out, kernel, false, groups);
  return layers.conv(x, weights, stride, spec_.padding, node_path(module));
}

Feature BackboneLayers::norm(const Feature& x, const std::string& module) {
  return layers.batch_norm(x, layers.batch_norm_weights(module, x.channels, spec_.bn_epsilon), node_path(module));
}

Feature BackboneLayers::activate(const Feature& x, const std::string& module, Activation activation) {
  return layers.activate(x, activation, node_path(module) + "/act");
}

Feature BackboneLayers::max_pool(const Feature& x, const std::string& module) {
  return layers.max_pool(x, 3, 3, 2, 2, spec_.padding, node_path(module));
}

void LevelFeatures::add(const Feature& x, int reduction) {
  if (reduction < 8) return;
  if (reduction == reduction_) features_.pop_back();
  reduction_ = reduction;
  features_.push_back(x);
}

std::vector<Feature> build_backbone(Layers& layers, const BackboneSpec& spec, const Feature& image) {
  switch (spec.trunk) {
    case Trunk::kEfficientNet:
      return build_efficientnet(layers, spec, image);
    case Trunk::kResNet:
      return build_resnet(layers, spec, image);
    case Trunk::kCspResNet:
    case Trunk::kCspDarkNet:
      return build_csp(layers, spec, image);
  }
  fail(ErrorCode::kInternal, "a backbone without a builder");
}

}  // namespace effdet::model
