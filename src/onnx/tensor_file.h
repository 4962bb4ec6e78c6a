// Tensors in files of their own, as ONNX's test folders have them: one TensorProto.
#pragma once

#include <filesystem>
#include <string>

#include "base/tensor.h"

namespace effdet::onnx {

/// A tensor and the name that its message carries; "" for none.
struct TensorFile {
  std::string name;
  Tensor tensor;
};

/// Reads a file that holds one TensorProto. External data is opened as that of a model in the same folder would be.
/// Throws Error(kIo), Error(kBadInput), and Error(kUnsupported) for element types that a Tensor cannot have.
TensorFile read_tensor_file(const std::filesystem::path& path);

}  // namespace effdet::onnx
