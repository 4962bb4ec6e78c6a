// Graphs to ONNX files.
#pragma once

#include <filesystem>

#include "ir/graph.h"

namespace effdet::onnx {

/// Where weights go: into the model, or (all of 1 KiB and more) into a file beside it that is called as the model with
/// ".data" behind, or nowhere: those of 1 KiB and more are then sparse initializers without an element, which is a
/// small and valid model for viewers.
enum class Weights { kInside, kExternal, kNone };

/// Writes the graph: IR version 7 (8 from opset 16 on), producer "effdet"; the bytes of weights go from the tensors to
/// the file, without a copy in memory. Protobuf's limit is 2 GiB: larger weights are external whatever `weights` says.
/// Each file appears whole or not at all, the weights' first. Returns the files written, the model first. Throws
/// Error(kIo).
std::vector<std::filesystem::path> write_onnx(const ir::Graph& graph, const std::filesystem::path& path,
                                              Weights weights = Weights::kInside);

/// Runs ONNX's official checker over a file. Throws Error(kBadInput) with its first line of complaint, and
/// Error(kUnsupported) for files that are newer than that checker (opset above 17, IR version above 8).
void check_onnx(const std::filesystem::path& path);

}  // namespace effdet::onnx
