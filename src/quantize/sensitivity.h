// What 8 bits in one layer alone do to a model's outputs.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "quantize/quantize.h"

namespace effdet::quantize {

using Samples = std::vector<std::vector<std::byte>>;  ///< images as inputs of a graph

/// For each layer of quantizable_layers(graph): the mean square of the difference that the outputs have with that layer
/// alone in 8 bits, relative to their variance, averaged over outputs and samples. Compiles and runs the graph once for
/// each layer. Deterministic. Throws as quantize() and compile().
std::vector<double> layer_errors(const ir::Graph& graph, const Calibration& calibration, const Options& options,
                                 const Samples& samples, int threads,
                                 const std::function<void(size_t done, size_t total)>& progress);

}  // namespace effdet::quantize
