// Tensors as JSON: "data" of inputs and outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/json_reader.h"
#include "server/data_types.h"

namespace effdet::server {

/// Reads "data": a flat array of all elements, or arrays in arrays as the shape has it. count: the product of the
/// shape. Strings of BYTES get their length before them, as in binary data. Throws Error(kBadInput) for another number
/// of elements and for values that the type does not have, HttpError for types without a form in JSON.
std::vector<std::byte> read_json_tensor(eval::JsonReader& reader, const DataType& type, std::span<const int64_t> shape,
                                        uint64_t count);

/// Appends a flat array. Floating-point numbers are the shortest that give the same value again; NaN and infinities are
/// written as Python writes them. Throws HttpError for types without a form in JSON.
void append_json_tensor(std::string& text, const DataType& type, std::span<const std::byte> bytes);

}  // namespace effdet::server
