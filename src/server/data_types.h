// Element types by their names in the Open Inference Protocol.
#pragma once

#include <cstddef>
#include <string_view>

namespace effdet::server {

struct DataType {
  std::string_view protocol;  ///< "FP32"
  std::string_view numpy;     ///< "float32", as TensorInfo has it; "" for BYTES
  size_t bytes = 0;           ///< of an element; 0 for BYTES
};

/// nullptr for another name.
const DataType* find_data_type(std::string_view protocol);
/// nullptr for types of tensors that the protocol does not have.
const DataType* data_type_of(std::string_view numpy);

}  // namespace effdet::server
