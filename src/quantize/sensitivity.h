// What 8 bits in one layer alone do to a model's outputs.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "quantize/quantize.h"

namespace effdet::quantize {

using Samples = std::vector<std::vector<std::byte>>;  ///< images as inputs of a graph

/// How layers are measured: on how many samples, and how many layers, neighbours in execution order, at a time.
struct SensitivityPlan {
  size_t samples = 0;
  size_t layers_at_a_time = 1;
};

/// Each layer alone and on all samples where all runs together have no more products than some minutes of work; of
/// larger networks fewer samples, and then several layers at a time.
SensitivityPlan plan_sensitivity(std::span<const Layer> layers, size_t samples);

/// For each layer of quantizable_layers(graph): the mean square of the difference that the outputs have with that layer
/// alone in 8 bits, relative to their variance; layers that are measured together share it in equal parts. Outputs of
/// boxes are one sum and all others another, of which a tenth is added: what costs mAP is where boxes are. Compiles and
/// runs the graph once for each measurement. Deterministic. Throws as quantize() and compile().
std::vector<double> layer_errors(const ir::Graph& graph, const Calibration& calibration, const Options& options,
                                 const Samples& samples, int threads,
                                 const std::function<void(size_t done, size_t total)>& progress);

}  // namespace effdet::quantize
