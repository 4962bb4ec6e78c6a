// Cross stage partial networks as timm 1.0 builds them: CSPResNet, CSPResNeXt and CSPDarkNet.
#include <cmath>

#include "model/backbone.h"

namespace effdet::model {
namespace {

class CspBuilder {
 public:
  CspBuilder(Layers& layers, const BackboneSpec& spec)
      : net_(layers, spec), spec_(spec), dark_(spec.trunk == Trunk::kCspDarkNet) {}

  std::vector<Feature> build(const Feature& image) {
    // DarkNet's stem keeps the size; the others' halves it twice.
    Feature x = unit(image, "backbone.stem_conv1", spec_.stem_channels, dark_ ? 3 : 7, dark_ ? 1 : 2);
    if (!dark_) x = net_.max_pool(x, "backbone.stem_pool");
    LevelFeatures features;
    int reduction = dark_ ? 1 : 4;
    for (size_t i = 0; i < spec_.cross_stages.size(); ++i) {
      x = stage(x, spec_.cross_stages[i], "backbone.stages_" + std::to_string(i));
      reduction *= spec_.cross_stages[i].stride;
      features.add(x, reduction);
    }
    return std::move(features).take();
  }

 private:
  static int64_t scaled(int64_t channels, double factor) { return std::lrint(static_cast<double>(channels) * factor); }

  Feature linear_unit(const Feature& x, const std::string& module, int64_t out, int kernel, int stride,
                      int64_t groups = 1) {
    return net_.norm(net_.conv(x, module + ".conv", out, kernel, stride, groups), module + ".bn");
  }

  Feature unit(const Feature& x, const std::string& module, int64_t out, int kernel, int stride, int64_t groups = 1) {
    return net_.activate(linear_unit(x, module, out, kernel, stride, groups), module);
  }

  Feature stage(Feature x, const CrossStageSpec& stage, const std::string& module) {
    const int64_t expanded = scaled(stage.channels, stage.expansion);
    if (stage.stride != 1)
      x = unit(x, module + ".conv_down", dark_ ? stage.channels : x.channels, 3, stage.stride, spec_.groups);
    x = dark_ ? unit(x, module + ".conv_exp", expanded, 1, 1) : linear_unit(x, module + ".conv_exp", expanded, 1, 1);
    const auto halves = net_.layers.split(x, {expanded / 2, expanded / 2}, node_path(module));
    Feature y = halves[1];
    for (int i = 0; i < stage.depth; ++i) y = block(y, stage, module + ".blocks." + std::to_string(i));
    y = unit(y, module + ".conv_transition_b", expanded / 2, 1, 1);
    return unit(net_.layers.concat({halves[0], y}, node_path(module)), module + ".conv_transition", stage.channels, 1,
                1);
  }

  Feature block(const Feature& x, const CrossStageSpec& stage, const std::string& module) {
    const int64_t out = scaled(stage.channels, stage.block), middle = scaled(out, stage.bottleneck);
    Feature y = unit(x, module + ".conv1", middle, 1, 1);
    if (dark_) {
      y = unit(y, module + ".conv2", out, 3, 1, spec_.groups);
      return net_.layers.add(y, x, node_path(module));
    }
    y = unit(y, module + ".conv2", middle, 3, 1, spec_.groups);
    y = linear_unit(y, module + ".conv3", out, 1, 1);
    return net_.activate(net_.layers.add(y, x, node_path(module)), module);
  }

  BackboneLayers net_;
  const BackboneSpec& spec_;
  bool dark_;
};

}  // namespace

std::vector<Feature> build_csp(Layers& layers, const BackboneSpec& spec, const Feature& image) {
  return CspBuilder(layers, spec).build(image);
}

}  // namespace effdet::model
