// Models that Ascend's CANN compiled, as far as their files tell.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "effdet/export.h"

namespace effdet {

/// The header of such a file.
struct CannModel {
  std::string name;
  std::string platform;  ///< of what it was compiled for, as CANN names it; may be empty
  uint32_t format_version = 0;
  uint32_t models = 0;  ///< in this file
  bool is_encrypted = false;
  bool has_open_shapes = false;
  uint64_t file_bytes = 0;
};

/// Nothing for a file of another kind. Throws Error(kIo), and Error(kBadInput) for one that ends within its header.
EFFDET_API std::optional<CannModel> cann_model(const std::filesystem::path& path);

/// Writes MODEL.metadata.json: the metadata of the ONNX file that CANN compiled the model from, which its files do not
/// keep, and a hash of the model, so that they are not taken for those of another. CompiledModel::load() reads it.
/// insert_op_conf: the file of preprocessing (AIPP) that it was compiled with; empty: none. Returns the path. Throws
/// Error(kIo), Error(kUnsupported) where the ONNX file has no metadata of this library's exporter, and as
/// OnnxModel::read() and, of the preprocessing, CompiledModel::compile().
EFFDET_API std::filesystem::path keep_metadata(const std::filesystem::path& model, const std::filesystem::path& onnx,
                                               const std::filesystem::path& insert_op_conf = {});

/// Where CANN is, or may be: $ASCEND_HOME_PATH alone where that is set, else the folders that its installers make.
EFFDET_API std::vector<std::filesystem::path> cann_folders();

/// Sets the file that AscendCL is initialised with (acl.json), for the whole process: before the first model is loaded
/// for a card. Throws Error(kIo) where it cannot be read.
EFFDET_API void configure_ascend(const std::filesystem::path& config);

}  // namespace effdet
