// What backbones share: their layers, and which features they give.
#pragma once

#include <string>
#include <vector>

#include "model/layers.h"
#include "model/network.h"

namespace effdet::model {

/// To the nearest multiple of 8, but never below 90 % of the value.
int round_channels(double channels);

/// Blocks of a stage of spec.stages, scaled.
int stage_repeats(const BackboneSpec& spec, size_t stage);

/// Layers with a backbone's padding, activation and batch norms.
class BackboneLayers {
 public:
  BackboneLayers(Layers& layers, const BackboneSpec& spec) : layers(layers), spec_(spec) {}

  Feature conv(const Feature& x, const std::string& module, int64_t out, int kernel, int stride, int64_t groups = 1);
  Feature norm(const Feature& x, const std::string& module);
  Feature activate(const Feature& x, const std::string& module) { return activate(x, module, spec_.activation); }
  Feature activate(const Feature& x, const std::string& module, Activation activation);
  Feature norm_act(const Feature& x, const std::string& module) { return activate(norm(x, module), module); }
  Feature max_pool(const Feature& x, const std::string& module);  ///< 3x3, stride 2

  Layers& layers;

 private:
  const BackboneSpec& spec_;
};

/// Collects the last feature of each reduction from 8 on: levels 3, 4 and 5.
class LevelFeatures {
 public:
  void add(const Feature& x, int reduction);
  std::vector<Feature> take() && { return std::move(features_); }

 private:
  std::vector<Feature> features_;
  int reduction_ = 0;
};

/// One function a family of backbones; build_backbone() chooses.
std::vector<Feature> build_efficientnet(Layers& layers, const BackboneSpec& spec, const Feature& image);
std::vector<Feature> build_resnet(Layers& layers, const BackboneSpec& spec, const Feature& image);
std::vector<Feature> build_csp(Layers& layers, const BackboneSpec& spec, const Feature& image);

}  // namespace effdet::model
