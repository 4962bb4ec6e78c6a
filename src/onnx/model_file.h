// Opening a protobuf message that came from anywhere.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <memory>

#include "base/tensor.h"

namespace effdet::onnx {

namespace pb = ::ONNX_NAMESPACE;

/// Parses the file and checks what makes it an ONNX model: IR version, imports of operator sets, a graph.
/// Throws Error(kIo), Error(kBadInput) or Error(kUnsupported).
std::unique_ptr<pb::ModelProto> load_model(const std::filesystem::path& path);

/// Of models that import none of ONNX's own operators, unless somebody puts one in.
inline constexpr int64_t kPlainOpset = 13;
/// Version of ONNX's own operators; 0 where the model imports none. Precondition: load_model accepted the model.
int64_t own_opset(const pb::ModelProto& model);

/// "" and "ai.onnx" name the same domain; returned is "".
std::string canonical_domain(const std::string& domain);
/// What a node is called: its name, or its first output that has one; empty where there is none.
std::string label_of(const pb::NodeProto& node);

/// Dimensions that a file declares; -1 for symbolic ones, and for negative numbers, by which Paddle's exports mean that
/// a dimension is not known.
Shape shape_of(const pb::TypeProto_Tensor& type);

}  // namespace effdet::onnx
