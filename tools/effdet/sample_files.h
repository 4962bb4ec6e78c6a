// Samples on disk: what goes into a model, and what comes out of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "effdet/onnx_model.h"
#include "plans.h"

namespace effdet::cli {

/// The files that a list of get_info names. A raw tensor that it calls otherwise sized than the model's input is not
/// meant for it: Error(kBadInput).
std::vector<std::filesystem::path> listed_inputs(const std::string& list, const InputSize& size);
/// Raw tensors (.bin, .npy) and images of a folder, by name. Throws Error(kBadInput) where there are none.
std::vector<std::filesystem::path> folder_inputs(const std::string& folder);
/// Throws Error(kBadInput) where two inputs' outputs would have the same name.
void require_unique_stems(const std::vector<std::filesystem::path>& paths);

/// One sample's bytes from a raw file that holds just these, or from a .npy file in C order with as many values of that
/// type. Throws Error(kBadInput), Error(kIo).
void read_tensor(const std::filesystem::path& path, const std::string& dtype, std::span<std::byte> sample);

enum class DumpFormat { kBin, kTxt, kNpy };
/// Writes one sample of an output to `stem` with the format's extension: raw, as text with six decimals, or as .npy
/// with a batch of 1 in its shape. Throws Error(kIo).
void write_sample(const std::filesystem::path& stem, DumpFormat format, const TensorInfo& info,
                  std::span<const std::byte> bytes);
/// ".bin", ".txt" or ".npy".
const char* extension_of(DumpFormat format);

}  // namespace effdet::cli
