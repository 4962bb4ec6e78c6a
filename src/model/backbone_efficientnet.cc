// EfficientNet and its relatives (MobileNet, MixNet, EdgeTPU, V2) as timm 1.0 builds them: stem, stages of blocks.
#include <cmath>

#include "model/backbone.h"

namespace effdet::model {
namespace {

class EfficientNetBuilder {
 public:
  EfficientNetBuilder(Layers& layers, const BackboneSpec& spec) : net_(layers, spec), spec_(spec) {}

  std::vector<Feature> build(const Feature& image) {
    const int stem = spec_.fixed_ends ? spec_.stem_channels : round_channels(spec_.stem_channels * spec_.width);
    Feature x = net_.norm_act(net_.conv(image, "backbone.conv_stem", stem, 3, 2), "backbone.bn1");
    LevelFeatures features;
    int reduction = 2, stage = -1, block_index = 0;
    for (size_t i = 0; i < spec_.stages.size(); ++i) {
      const StageSpec& run = spec_.stages[i];
      if (!run.continues) {
        ++stage;
        block_index = 0;
      }
      for (int repeat = 0; repeat < stage_repeats(spec_, i); ++repeat, ++block_index) {
        const std::string module = "backbone.blocks." + std::to_string(stage) + "." + std::to_string(block_index);
        x = block(x, run, repeat == 0 ? run.stride : 1, module);
      }
      reduction *= run.stride;
      features.add(spec_.features_expanded ? expanded_ : x, reduction);
    }
    return std::move(features).take();
  }

 private:
  Feature block(const Feature& x, const StageSpec& run, int stride, const std::string& module) {
    const int out = round_channels(run.channels * spec_.width);
    const Feature y = body(x, run, stride, out, module);
    const bool has_skip = stride == 1 && x.channels == out && run.expanded_from == 0;
    return has_skip ? net_.layers.add(y, x, node_path(module)) : y;
  }

  Feature body(const Feature& x, const StageSpec& run, int stride, int out, const std::string& module) {
    switch (run.block) {
      case BlockType::kDepthwiseSeparable:
        return depthwise_separable(x, run, stride, out, module);
      case BlockType::kEdgeResidual:
        return edge_residual(x, run, stride, out, module);
      case BlockType::kConvolution:
        return norm_act(net_.conv(x, module + ".conv", out, run.kernel, stride), run, module + ".bn1");
      case BlockType::kInvertedResidual:
      case BlockType::kBottleneck:  // ResNet's alone
        break;
    }
    return inverted_residual(x, run, stride, out, module);
  }

  Feature depthwise_separable(Feature x, const StageSpec& run, int stride, int out, const std::string& module) {
    const int64_t squeezed = squeezed_channels(x.channels, x.channels, run);
    x = mixed(x, module + ".conv_dw", x.channels, run.kernel, run.kernels, 2, stride, true);
    x = norm_act(x, run, module + ".bn1");
    x = squeeze_excite(x, run, module, squeezed);
    expanded_ = x;
    return net_.norm(net_.conv(x, module + ".conv_pw", out, 1, 1), module + ".bn2");
  }

  Feature inverted_residual(Feature x, const StageSpec& run, int stride, int out, const std::string& module) {
    const int64_t expanded = round_channels(static_cast<double>(x.channels) * run.expansion);
    const int64_t squeezed = squeezed_channels(x.channels, expanded, run);
    x = mixed(x, module + ".conv_pw", expanded, 1, run.expansion_parts, 0, 1, false);
    x = norm_act(x, run, module + ".bn1");
    x = mixed(x, module + ".conv_dw", expanded, run.kernel, run.kernels, 2, stride, true);
    x = norm_act(x, run, module + ".bn2");
    x = squeeze_excite(x, run, module, squeezed);
    expanded_ = x;
    x = mixed(x, module + ".conv_pwl", out, 1, run.projection_parts, 0, 1, false);
    return net_.norm(x, module + ".bn3");
  }

  Feature edge_residual(Feature x, const StageSpec& run, int stride, int out, const std::string& module) {
    const int64_t from = run.expanded_from > 0 ? round_channels(run.expanded_from * spec_.width) : x.channels;
    const int64_t expanded = round_channels(static_cast<double>(from) * run.expansion);
    const int64_t squeezed = squeezed_channels(x.channels, expanded, run);
    x = net_.conv(x, module + ".conv_exp", expanded, run.kernel, stride);
    x = norm_act(x, run, module + ".bn1");
    x = squeeze_excite(x, run, module, squeezed);
    expanded_ = x;
    return net_.norm(net_.conv(x, module + ".conv_pwl", out, 1, 1), module + ".bn2");
  }

  /// A convolution whose channels fall into parts with kernels of their own: kernel, kernel + step, ...
  Feature mixed(const Feature& x, const std::string& module, int64_t out, int kernel, int parts, int step, int stride,
                bool depthwise) {
    const auto one = [&](const Feature& part, const std::string& name, int64_t channels, int size) {
      return net_.conv(part, name, channels, size, stride, depthwise ? part.channels : 1);
    };
    if (parts == 1) return one(x, module, out, kernel);
    const std::vector<int64_t> ins = part_channels(x.channels, parts), outs = part_channels(out, parts);
    const std::vector<Feature> slices = net_.layers.split(x, ins, node_path(module));
    std::vector<Feature> results;
    for (size_t i = 0; i < slices.size(); ++i)
      results.push_back(one(slices[i], module + "." + std::to_string(i), outs[i], kernel + step * static_cast<int>(i)));
    return net_.layers.concat(results, node_path(module));
  }

  /// As equal as they can be; the first takes the rest.
  static std::vector<int64_t> part_channels(int64_t channels, int parts) {
    std::vector<int64_t> counts(static_cast<size_t>(parts), channels / parts);
    counts[0] += channels % parts;
    return counts;
  }

  int64_t squeezed_channels(int64_t in, int64_t expanded, const StageSpec& run) const {
    const double ratio = run.se_ratio.value_or(spec_.se_ratio);
    if (ratio == 0) return 0;
    if (spec_.se_of_expansion) return round_channels(static_cast<double>(expanded) * ratio);
    return std::lrint(static_cast<double>(in) * ratio);
  }

  Feature squeeze_excite(const Feature& x, const StageSpec& run, const std::string& module, int64_t squeezed) {
    if (squeezed == 0) return x;
    const Activation activation = spec_.se_of_expansion ? Activation::kRelu : activation_of(run);
    return net_.layers.squeeze_excite(x, module + ".se", squeezed, activation, spec_.se_of_expansion);
  }

  Activation activation_of(const StageSpec& run) const { return run.activation.value_or(spec_.activation); }

  Feature norm_act(const Feature& x, const StageSpec& run, const std::string& module) {
    return net_.activate(net_.norm(x, module), module, activation_of(run));
  }

  BackboneLayers net_;
  const BackboneSpec& spec_;
  Feature expanded_;  // what the last block projects
};

}  // namespace

std::vector<Feature> build_efficientnet(Layers& layers, const BackboneSpec& spec, const Feature& image) {
  return EfficientNetBuilder(layers, spec).build(image);
}

}  // namespace effdet::model
