// TensorProto messages to tensors.
#pragma once

#include <optional>

#include "onnx/external_data.h"
#include "onnx/model_file.h"

namespace effdet::onnx {

/// The DType of TensorProto.DataType, or nothing for types that tensors do not have.
std::optional<DType> known_dtype(int32_t type);
/// Whether ONNX has the type and tensors do not.
bool is_other_type(int32_t type);
/// What ONNX calls a type, for people: "string", "float8e4m3fn".
std::string type_name(int32_t type);
/// The DType of TensorProto.DataType; kUnsupported, naming `where`, for types without one.
DType dtype_of_proto(int32_t type, const std::string& where);
/// The TensorProto.DataType of a DType.
int32_t proto_of_dtype(DType dtype);

/// Takes the tensor out of its message: raw bytes are moved, not copied. `where` names file and tensor for errors.
/// Throws Error(kBadInput) where dimensions and data contradict each other.
Tensor take_tensor(pb::TensorProto& proto, const ExternalData& external, const std::string& where);

}  // namespace effdet::onnx
