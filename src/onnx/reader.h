// ONNX files to graphs. Protobuf's types do not leave this folder.
#pragma once

#include <filesystem>

#include "ir/graph.h"

namespace effdet::onnx {

/// Reads a model: nodes in topological order, every node and tensor name kept (nodes without a name get their first
/// output's). Accepts IR versions 3 to 13 and opsets 7 to 21. Weights that lie in other files are read only from
/// regular files (no links) inside the model's folder. Shapes are those that the file declares; ops::infer_shapes finds
/// the rest. The model's own functions are put in the place of their calls (functions.h). What has no place in a graph
/// stays as a message that the writer puts back: graphs inside nodes, types and tensors that are not known, doc strings
/// and metadata of nodes. Throws Error(kIo), Error(kBadInput) for malformed or hostile files and Error(kUnsupported)
/// for sparse initializers; each names the file and the node or tensor.
ir::Graph read_onnx(const std::filesystem::path& path);

}  // namespace effdet::onnx
