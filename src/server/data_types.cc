// The table of element types.
#include "server/data_types.h"

namespace effdet::server {
namespace {

constexpr DataType kDataTypes[] = {
    {"BOOL", "bool", 1},     {"UINT8", "uint8", 1},  {"UINT16", "uint16", 2}, {"UINT32", "uint32", 4},
    {"UINT64", "uint64", 8}, {"INT8", "int8", 1},    {"INT16", "int16", 2},   {"INT32", "int32", 4},
    {"INT64", "int64", 8},   {"FP16", "float16", 2}, {"FP32", "float32", 4},  {"FP64", "float64", 8},
    {"BF16", "bfloat16", 2}, {"BYTES", "", 0},
};

}  // namespace

const DataType* find_data_type(std::string_view protocol) {
  for (const DataType& type : kDataTypes)
    if (type.protocol == protocol) return &type;
  return nullptr;
}

const DataType* data_type_of(std::string_view numpy) {
  for (const DataType& type : kDataTypes)
    if (!type.numpy.empty() && type.numpy == numpy) return &type;
  return nullptr;
}

}  // namespace effdet::server
