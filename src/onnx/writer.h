// Graphs to ONNX files.
#pragma once

#include <filesystem>

#include "effdet/onnx_options.h"
#include "ir/graph.h"

namespace effdet::onnx {

/// Writes the graph: IR version 7 (8 from opset 15 on, 9 from 19, 10 from 21), producer "effdet"; the bytes of weights
/// go from the tensors to the file, without a copy in memory. Protobuf's limit is 2 GiB: larger weights go beside the
/// model whatever `weights` says. Those that are left out are sparse initializers without an element: a small, valid
/// model. Each file appears whole or not at all, the weights' first. Returns the files written, the model first. Throws
/// Error(kIo).
std::vector<std::filesystem::path> write_onnx(const ir::Graph& graph, const std::filesystem::path& path,
                                              WeightPlacement weights = WeightPlacement::kInside);

}  // namespace effdet::onnx
