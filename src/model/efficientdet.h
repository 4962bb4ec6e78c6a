// The family EfficientDet: effdet's variants, and zylo117's, whose tensors have other names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/family.h"

namespace effdet::model {

/// What the last convolution of the class head is called, by effdet and by zylo117.
std::vector<std::string> efficientdet_landmarks();

/// Classes, anchors and width, from the last convolutions of the heads.
std::optional<CheckpointFacts> match_efficientdet(const checkpoint::Checkpoint& checkpoint);

/// Backbone, feature pyramid, class and box head. Outputs class_l<level> [batch, anchors x classes, h, w] for all
/// levels, finest first, then box_l<level> [batch, anchors x 4, h, w].
void build_efficientdet(ir::Graph& graph, Layers& layers, const Feature& image, const ModelConfig& config);

}  // namespace effdet::model
