// numpy's .npy files: one tensor in a file.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/tensor.h"

namespace effdet::inline base {

/// Reads a .npy file (format versions 1 to 3) of a type that a Tensor can have. Column-major arrays are turned round.
/// The file is hostile: its header is parsed, not evaluated, and its size is checked before memory is taken. Throws
/// Error(kIo), Error(kBadInput) with the offset, and Error(kUnsupported) for other element types and byte orders.
Tensor read_npy(const std::filesystem::path& path);

/// What a .npy file of the type and shape has before its elements: a multiple of 64 bytes. Precondition: not bfloat16.
std::string npy_header(DType dtype, std::span<const int64_t> shape);

/// Writes a .npy file, whole or not at all. numpy has no bfloat16: such a tensor is written as float32, which holds
/// every bfloat16 exactly.
void write_npy(const Tensor& tensor, const std::filesystem::path& path);

}  // namespace effdet::inline base
