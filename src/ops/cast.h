// ONNX's numbers for element types, as Cast's attribute `to` holds them.
#pragma once

#include "ops/op.h"

namespace effdet::ops {

/// The element type behind TensorProto.DataType; kUnsupported, naming the node, for others (strings, complex, float8).
DType dtype_of_onnx(const ir::Node& node, int64_t code);

}  // namespace effdet::ops
