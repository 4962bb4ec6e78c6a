// Graphs to ONNX files.
#pragma once

#include <filesystem>

#include "ir/graph.h"

namespace effdet::onnx_io {

/// Writes the graph as one file: IR version 7 (8 from opset 16 on), producer "effdet", weights in place (the bytes go
/// from the tensors to the file, without a copy in memory). The file appears whole or not at all. Throws Error(kIo),
/// and Error(kUnsupported) above protobuf's limit of 2 GiB.
void write_onnx(const ir::Graph& graph, const std::filesystem::path& path);

/// Runs ONNX's official checker over a file. Throws Error(kBadInput) with its first line of complaint, and
/// Error(kUnsupported) for files that are newer than that checker (opset above 17, IR version above 8).
void check_onnx(const std::filesystem::path& path);

}  // namespace effdet::onnx_io
