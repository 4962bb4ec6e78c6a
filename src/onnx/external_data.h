// Weights that an ONNX file keeps in other files of its folder.
#pragma once

#include <filesystem>
#include <map>
#include <memory>

#include "base/file.h"
#include "onnx/model_file.h"

namespace effdet::onnx {

/// Opens the files that tensors name, each once. A name is a relative path below the model's folder without "..";
/// symbolic links (also as a parent folder), hard links and everything that is no regular file are refused, so that a
/// model cannot make its reader open what the reader's user did not put there.
class ExternalData {
 public:
  explicit ExternalData(const std::filesystem::path& model);

  /// The tensor's bytes, mapped. `where` names file and tensor. Throws Error(kBadInput) for an unsafe name, a missing
  /// file, malformed, unknown or repeated keys, and a range outside of the file.
  Tensor read(const pb::TensorProto& proto, DType dtype, const Shape& shape, const std::string& where) const;
  /// Counts bytes that are copied out of the files. Throws Error(kBadInput) once these are 64 MB more than the files
  /// hold: many tensors may name the same bytes.
  void count_copy(uint64_t bytes, const std::string& where) const;

 private:
  const MappedFile& open(const std::string& location, const std::string& where) const;

  std::filesystem::path folder_;
  mutable std::map<std::string, std::unique_ptr<MappedFile>> files_;
  mutable uint64_t copied_ = 0;
};

}  // namespace effdet::onnx
