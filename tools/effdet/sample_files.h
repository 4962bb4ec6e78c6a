// Samples on disk: what goes into a model, and what comes out of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "effdet/host_tensor.h"
#include "effdet/onnx_model.h"
#include "plans.h"

namespace effdet::cli {

/// The files that a list of get_info names. A raw tensor that it calls otherwise sized than the model's input is not
/// meant for it: Error(kBadInput).
std::vector<std::filesystem::path> listed_inputs(const std::string& list, const InputSize& size);
/// Raw tensors (.bin, .npy) and images of a folder, as files_of() lists them. Throws Error(kBadInput) where there are
/// none.
std::vector<std::filesystem::path> folder_inputs(const std::string& folder);
/// Throws Error(kBadInput) where two inputs' outputs would have the same name.
void require_unique_stems(const std::vector<std::filesystem::path>& paths);

/// The samples that a file holds, of those that a tensor of a batch has: 1 for images, all where the file holds the
/// whole batch, or a part that divides it. Throws Error(kBadInput) for other sizes, Error(kIo).
size_t samples_in(const std::filesystem::path& path, size_t tensor_bytes, size_t batch);

/// The bytes of samples from a raw file that holds just these, or from a .npy file in C order with as many values of
/// that type. Throws Error(kBadInput), Error(kIo).
void read_tensor(const std::filesystem::path& path, const std::string& dtype, std::span<std::byte> samples);

enum class DumpFormat { kBin, kTxt, kNpy };
/// One of the equal parts that an output is split into.
struct OutputPart {
  size_t axis = 0;  ///< that the parts lie along; it divides by their number
  size_t count = 1, index = 0;
};
/// Writes a part of an output to `stem` with the format's extension: raw, as text with six decimals, or as .npy. Throws
/// Error(kIo).
void write_part(const std::filesystem::path& stem, DumpFormat format, const TensorInfo& output,
                std::span<const std::byte> bytes, const OutputPart& part);
/// ".bin", ".txt" or ".npy".
const char* extension_of(DumpFormat format);

}  // namespace effdet::cli
