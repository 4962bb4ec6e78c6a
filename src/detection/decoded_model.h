// Models of other exporters, whose outputs are decoded already: recognised by their inputs and outputs.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "effdet/model_options.h"
#include "ir/graph.h"

namespace effdet::detection {

/// Gives a graph without this program's metadata those of what its inputs and outputs are taken for:
///   - effdet's DetBenchPredict: one output float32 [N, rows, 6] behind a TopK and a NonMaxSuppression. Inputs beside
///     the images are its img_scale [N] and img_size [N, 2].
///   - Yet-Another-EfficientDet-Pytorch: an output float32 [N, anchors, classes] that a Sigmoid makes, and one [N,
///     anchors, 4]; a constant [1, anchors, 4] tells the anchors, and maps are not looked at.
/// Others stay as they are. options: model, classes, anchors and names where they are given; what is neither given nor
/// in the graph is assumed, and told by assumptions_of(). Throws Error(kUnsupported) where options name the model and
/// its anchors are of no pattern that detection knows, without a name it stays as it is; Error(kUsage) for options that
/// contradict the graph. Precondition: shapes are inferred.
void recognise_decoded(ir::Graph& graph, const ModelOptions& options = {});

/// What recognise_decoded() took the model for and assumed; empty for other models.
std::string assumptions_of(const std::map<std::string, std::string>& metadata);

/// Numbers of the outputs that have a score for each anchor and class, and the box of each anchor.
struct ScoredAnchors {
  size_t scores, boxes;
};

/// Those of a model that recognise_decoded() took for one that has them; nothing for others, and for numbers that make
/// no sense.
std::optional<ScoredAnchors> scored_anchors_of(const std::map<std::string, std::string>& metadata);

}  // namespace effdet::detection
