// PyTorch checkpoints: inspection, random weights, model variants, class names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "effdet/export.h"
#include "effdet/model_options.h"

namespace effdet {

/// Names of the model variants that this library can build.
EFFDET_API std::vector<std::string> model_names();

/// Reads class names from a text file, one name a line. Throws Error(kIo), and Error(kBadInput) for an empty file, an
/// empty line or a control character.
EFFDET_API std::vector<std::string> read_class_names(const std::filesystem::path& path);

/// Writes a checkpoint with random, well-conditioned weights of options.model, which torch.load() reads. The same
/// model, classes and seed give the same bytes. Throws Error(kUsage) for options that no model can have, Error(kIo).
EFFDET_API void init_checkpoint(const ModelOptions& options, uint64_t seed, const std::filesystem::path& path);

/// Content of a checkpoint.
struct CheckpointInfo {
  /// Key of the state_dict in the file ("state_dict", "state_dict_ema", ...); "" if it is the file's root.
  std::string container;
  size_t tensors = 0;
  size_t files = 1;  ///< more than 1 if the weights are sharded
  /// Elements of the parameters, as PyTorch's sum(p.numel() for p in model.parameters()).
  int64_t parameters = 0;
  /// Elements of the other tensors: statistics and step counters of batch norms.
  int64_t buffers = 0;
  std::vector<std::string> dtypes;          ///< number of tensors of each type: "float32 x 610", ...
  std::vector<std::string> fitting_models;  ///< variants that have exactly these tensors, in name and shape
  std::string model;                        ///< variant that would be chosen; "" if that is ambiguous
  std::vector<std::string> notes;           ///< assumptions behind that choice
  int num_classes = 0;                      ///< 0 if no variant fits
  int64_t non_finite = 0;                   ///< elements that are NaN or infinite
  /// Names and types of tensors that were skipped because their type cannot be converted to float32 weights (sparse,
  /// complex, 8-bit floating point, ...). Only those with a known name; foreign_count counts all.
  std::vector<std::pair<std::string, std::string>> foreign;
  size_t foreign_count = 0;
  bool has_checksums = true;  ///< false if the file's format cannot reveal damage inside a tensor
};

/// Reads a checkpoint and describes it. Throws Error(kIo), Error(kBadInput) for a damaged file, Error(kUnsupported) for
/// another format.
EFFDET_API CheckpointInfo inspect_checkpoint(const std::filesystem::path& path);

}  // namespace effdet
