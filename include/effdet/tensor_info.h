// Name, element type and shape of a tensor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace effdet {

struct TensorInfo {
  std::string name;
  std::string dtype;           ///< numpy's name ("float32", "uint8", "bool", ...), or "bfloat16"
  std::vector<int64_t> shape;  ///< outermost dimension first; -1: any size
};

}  // namespace effdet
