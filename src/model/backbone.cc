// EfficientNet as timm 1.0 builds it: stem, stages of blocks; no classification head.
#include <cmath>

#include "model/network.h"

namespace effdet::model {
namespace {

/// To the nearest multiple of 8, but never below 90 % of the value.
int round_channels(double channels) {
  const int rounded = std::max(8, static_cast<int>(channels + 4) / 8 * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

class BackboneBuilder {
 public:
  BackboneBuilder(Layers& layers, const BackboneSpec& spec) : layers_(layers), spec_(spec) {}

  std::vector<Feature> build(const Feature& image) {
    Feature x = stem(image);
    std::vector<Feature> features;
    int reduction = 2;
    for (size_t i = 0; i < spec_.stages.size(); ++i) {
      x = stage(x, i);
      reduction *= spec_.stages[i].stride;
      const bool level_ends = i + 1 == spec_.stages.size() || spec_.stages[i + 1].stride > 1;
      if (level_ends && reduction >= 8) features.push_back(x);
    }
    return features;
  }

 private:
  Feature stem(const Feature& image) {
    const int channels = spec_.fixed_ends ? spec_.stem_channels : round_channels(spec_.stem_channels * spec_.width);
    const Feature x = conv(image, "backbone.conv_stem", channels, 3, 2);
    return norm_act(x, "backbone.bn1");
  }

  int repeats(size_t stage_index) const {
    const int base = spec_.stages[stage_index].repeats;
    const bool is_end = stage_index == 0 || stage_index + 1 == spec_.stages.size();
    return spec_.fixed_ends && is_end ? base : static_cast<int>(std::ceil(base * spec_.depth));
  }

  Feature stage(Feature x, size_t index) {
    const StageSpec& stage = spec_.stages[index];
    for (int i = 0; i < repeats(index); ++i) {
      const std::string module = "backbone.blocks." + std::to_string(index) + "." + std::to_string(i);
      x = block(x, stage, i == 0 ? stage.stride : 1, module);
    }
    return x;
  }

  Feature block(const Feature& x, const StageSpec& stage, int stride, const std::string& module) {
    const int out_channels = round_channels(stage.channels * spec_.width);
    const Feature y = stage.block == BlockType::kDepthwiseSeparable
                          ? depthwise_separable(x, stage, stride, out_channels, module)
                          : inverted_residual(x, stage, stride, out_channels, module);
    const bool has_skip = stride == 1 && x.channels == out_channels;
    return has_skip ? layers_.add(y, x, node_path(module)) : y;
  }

  Feature depthwise_separable(Feature x, const StageSpec& stage, int stride, int out, const std::string& module) {
    const int64_t squeezed = squeezed_channels(x.channels);
    x = depthwise(x, module + ".conv_dw", stage.kernel, stride);
    x = norm_act(x, module + ".bn1");
    x = squeeze_excite(x, module, squeezed);
    x = conv(x, module + ".conv_pw", out, 1, 1);
    return norm(x, module + ".bn2");
  }

  Feature inverted_residual(Feature x, const StageSpec& stage, int stride, int out, const std::string& module) {
    const int64_t squeezed = squeezed_channels(x.channels);
    x = conv(x, module + ".conv_pw", round_channels(static_cast<double>(x.channels * stage.expansion)), 1, 1);
    x = norm_act(x, module + ".bn1");
    x = depthwise(x, module + ".conv_dw", stage.kernel, stride);
    x = norm_act(x, module + ".bn2");
    x = squeeze_excite(x, module, squeezed);
    x = conv(x, module + ".conv_pwl", out, 1, 1);
    return norm(x, module + ".bn3");
  }

  int64_t squeezed_channels(int64_t block_input) const {
    return std::lrint(static_cast<double>(block_input) * spec_.se_ratio);
  }

  Feature squeeze_excite(const Feature& x, const std::string& module, int64_t squeezed) {
    return squeezed == 0 ? x : layers_.squeeze_excite(x, module + ".se", squeezed, spec_.activation);
  }

  Feature conv(const Feature& x, const std::string& module, int64_t out, int kernel, int stride) {
    const ConvWeights weights = layers_.conv_weights(module, x.channels, out, kernel, false);
    return layers_.conv(x, weights, stride, spec_.padding, node_path(module));
  }

  Feature depthwise(const Feature& x, const std::string& module, int kernel, int stride) {
    const ConvWeights weights = layers_.depthwise_weights(module, x.channels, kernel);
    return layers_.conv(x, weights, stride, spec_.padding, node_path(module));
  }

  Feature norm(const Feature& x, const std::string& module) {
    return layers_.batch_norm(x, layers_.batch_norm_weights(module, x.channels, spec_.bn_epsilon), node_path(module));
  }

  Feature norm_act(const Feature& x, const std::string& module) {
    return layers_.activate(norm(x, module), spec_.activation, node_path(module) + "/act");
  }

  Layers& layers_;
  const BackboneSpec& spec_;
};

}  // namespace

std::vector<Feature> build_backbone(Layers& layers, const BackboneSpec& spec, const Feature& image) {
  return BackboneBuilder(layers, spec).build(image);
}

}  // namespace effdet::model
