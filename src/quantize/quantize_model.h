// The whole way from a float32 graph and images to an 8-bit graph with a proof.
#pragma once

#include "effdet/quantize.h"
#include "ir/graph.h"

namespace effdet::quantize {

/// What OnnxModel::quantize() does, on a graph that prepare() returned. The result is to be thrown away where
/// report.passed is false.
ir::Graph quantize_model(const ir::Graph& graph, const QuantizeOptions& options, QuantizeReport& report);

}  // namespace effdet::quantize
