// Reads a TensorProto file with its name and values.
#include "onnx/tensor_file.h"

#include <climits>

#include "base/error.h"
#include "base/file.h"
#include "onnx/tensor_proto.h"

namespace effdet::onnx {

TensorFile read_tensor_file(const std::filesystem::path& path) {
  const MappedFile file(path);
  if (file.size() > INT_MAX) bad_input("{}: {} bytes; a protobuf message has at most 2 GiB", file.path(), file.size());
  pb::TensorProto proto;
  // No field is required, so that an empty file would be a message too.
  if (file.size() == 0 || !proto.ParseFromArray(file.bytes().data(), static_cast<int>(file.size())))
    bad_input("{}: not a tensor: the protobuf message is malformed or truncated", file.path());
  const ExternalData external(path);
  Tensor tensor = take_tensor(proto, external, file.path());
  return {proto.name(), std::move(tensor)};
}

}  // namespace effdet::onnx
