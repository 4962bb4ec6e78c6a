// Sets a fresh model's batch norm statistics from what reaches them.
#pragma once

#include "base/thread_pool.h"
#include "ir/graph.h"

namespace effdet::model {

/// Runs the graph with the reference kernels. At each BatchNormalization, mean and variance become those of its input
/// before it runs; they are written into the bytes of its constants, so whoever shares these sees them. Returns the
/// outputs.
std::vector<Tensor> calibrate_batch_norms(ir::Graph& graph, const Tensor& input, ThreadPool* threads);

/// Standard deviation of all elements of some tensors.
double standard_deviation(std::span<const Tensor> tensors);

}  // namespace effdet::model
