// The three parts of the network, each appended to the graph by one function.
#pragma once

#include <string>
#include <vector>

#include "model/config.h"
#include "model/layers.h"

namespace effdet::model {

/// Features of the levels 3, 4 and 5 (strides 8, 16 and 32). Modules are named under "backbone.".
std::vector<Feature> build_backbone(Layers& layers, const BackboneSpec& spec, const Feature& image);

/// One node of a feature pyramid cell: the level that it makes, and the features that it joins (those that enter the
/// cell by level from 0 on, then the nodes before it).
struct FusionNode {
  int level;
  std::vector<int> inputs;
  /// Weighted by fast attention whatever the pyramid's fusion is: effdet's qufpn_sum adds up its four paths so.
  bool always_weighted = false;
};

/// The nodes of a cell; the last ones, one a level and finest first, are its outputs.
std::vector<FusionNode> pyramid_nodes(Pyramid pyramid, int min_level, int max_level);

/// Adds the coarser levels to the backbone's features and runs the cells; returns one feature a level, finest first.
std::vector<Feature> build_pyramid(Layers& layers, const ModelConfig& config, std::vector<Feature> features);

/// A head that predicts `outputs` values an anchor on every level with shared convolutions; name: "class_net",
/// "box_net".
std::vector<Feature> build_head(Layers& layers, const ModelConfig& config, const std::vector<Feature>& features,
                                const std::string& name, int outputs);

}  // namespace effdet::model
