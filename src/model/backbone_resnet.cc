// ResNet as timm 1.0 builds it: stem with max-pool, stages of bottlenecks.
#include "model/backbone.h"

namespace effdet::model {
namespace {

Feature bottleneck(BackboneLayers& net, const Feature& x, const StageSpec& stage, int stride,
                   const std::string& module) {
  const auto out = static_cast<int64_t>(stage.channels * stage.expansion);
  Feature y = net.norm_act(net.conv(x, module + ".conv1", stage.channels, 1, 1), module + ".bn1");
  y = net.norm_act(net.conv(y, module + ".conv2", stage.channels, stage.kernel, stride), module + ".bn2");
  y = net.norm(net.conv(y, module + ".conv3", out, 1, 1), module + ".bn3");
  Feature shortcut = x;
  if (stride != 1 || x.channels != out)
    shortcut = net.norm(net.conv(x, module + ".downsample.0", out, 1, stride), module + ".downsample.1");
  return net.activate(net.layers.add(y, shortcut, node_path(module)), module);
}

}  // namespace

std::vector<Feature> build_resnet(Layers& layers, const BackboneSpec& spec, const Feature& image) {
  BackboneLayers net(layers, spec);
  LevelFeatures features;
  Feature x = net.norm_act(net.conv(image, "backbone.conv1", spec.stem_channels, 7, 2), "backbone.bn1");
  x = net.max_pool(x, "backbone.maxpool");
  int reduction = 4;
  for (size_t i = 0; i < spec.stages.size(); ++i) {
    const StageSpec& stage = spec.stages[i];
    const std::string module = "backbone.layer" + std::to_string(i + 1) + ".";
    for (int block = 0; block < stage.repeats; ++block)
      x = bottleneck(net, x, stage, block == 0 ? stage.stride : 1, module + std::to_string(block));
    reduction *= stage.stride;
    features.add(x, reduction);
  }
  return std::move(features).take();
}

}  // namespace effdet::model
