// From a configuration and weights to the graph, as PyTorch's export of effdet 0.4.1 (or zylo117's network) computes
// it.
#pragma once

#include <vector>

#include "checkpoint/checkpoint.h"
#include "ir/graph.h"
#include "model/config.h"
#include "model/weights.h"

namespace effdet::model {

/// Operators of ONNX opset 11; batch norms are nodes of their own. Input "x.1", float32 [batch, 3, height, width];
/// outputs class_l<level> [batch, anchors x classes, h, w] for all levels, finest first, then box_l<level> [batch,
/// anchors x 4, h, w]. Constants are named as in effdet's checkpoints, nodes after the module that they come from; so
/// are the tensors that weights is asked for. Metadata: docs/onnx-metadata.md. Throws Error(kUsage) for an illegal
/// config, and what weights.finish() throws.
ir::Graph build_graph(const ModelConfig& config, WeightSource& weights);

/// build_graph from a checkpoint; a checkpoint that does not fit is one Error(kBadInput) with counts and names.
ir::Graph build_graph(const ModelConfig& config, const checkpoint::Checkpoint& checkpoint);

/// The tensors that the graph is built from, named as in the variant's checkpoints.
std::vector<ExpectedTensor> expected_weights(const ModelConfig& config);

/// Every tensor of the model, batch norms' int64 step counters included, in the order of effdet's state_dict.
std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config);

}  // namespace effdet::model
