// Checkpoints: what is in one, and random ones for benchmarks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "effdet/anchor_options.h"
#include "effdet/export.h"

namespace effdet {

/// What a compiled model computes in. Inputs and outputs are float32 either way.
enum class Precision {
  kFloat32,
  /// Maps and weights are bfloat16, sums float32: half the memory, about twice the speed on processors that multiply
  /// bfloat16, and slower on others.
  kBfloat16,
};

/// What a checkpoint does not tell, or what is to overrule it. Empty strings and zeros: take it from the checkpoint,
/// and else from the model variant. ONNX files and compiled models have settled all of it but the classes' names and,
/// in an ONNX file, the precision: where they are opened with other options than they have, that is Error(kUsage).
struct ModelOptions {
  std::string model;      ///< "tf_efficientdet_d0", ...: one of model_names()
  std::string preferred;  ///< taken where the checkpoint fits several variants and this is one of them
  int num_classes = 0;
  int height = 0, width = 0;  ///< of the input, in pixels: multiples of 128 (or the variant's own size)
  int batch = 1;
  std::vector<std::string> class_names;
  bool use_ema = false;  ///< prefer averaged weights, where the checkpoint has them
  /// Options of effdet's configuration that tensors do not tell, by its own names: {"redundant_bias", "false"},
  /// {"head_act_type", "relu"}, {"pad_type", "same"}, {"norm_kwargs.eps", "1e-3"}, ... What the file says counts more.
  std::vector<std::pair<std::string, std::string>> config;
  bool ignore_config = false;  ///< what the file says of its model (its arch, args, config) does not count
  /// Called with each line that the user should read: what was assumed, what does not count, weights that are NaN.
  std::function<void(const std::string& line)> on_note;
  AnchorOptions anchors;
  /// Where the model is compiled on the fly; empty: float32, or what a compiled model has.
  std::optional<Precision> precision;
};

/// The variants that this library builds, in order of the family.
EFFDET_API std::vector<std::string> model_names();

/// Class names from a text file, one a line. Throws Error(kBadInput) for a file that is no such text.
EFFDET_API std::vector<std::string> read_class_names(const std::filesystem::path& path);

/// Writes a random, well-conditioned checkpoint that PyTorch loads too. The same model, classes and seed give the same
/// file.
EFFDET_API void init_checkpoint(const ModelOptions& options, uint64_t seed, const std::filesystem::path& path);

/// A checkpoint as `effdet info` shows it.
struct CheckpointInfo {
  std::string container;  ///< key that the weights were under; "" for none
  size_t tensors = 0;
  size_t files = 1;                         ///< more where the weights are sharded
  int64_t parameters = 0;                   ///< what sum(p.numel() for p in model.parameters()) is in PyTorch
  int64_t buffers = 0;                      ///< elements of the other tensors: batch norms' statistics and counters
  std::vector<std::string> dtypes;          ///< "float32 x 610", ...
  std::vector<std::string> fitting_models;  ///< variants whose every tensor fits
  std::string model;                        ///< the one that would be taken; "" where that is open
  std::vector<std::string> notes;           ///< what was assumed then
  int num_classes = 0;                      ///< 0 where no variant fits
  int64_t non_finite = 0;                   ///< NaN and infinite elements
  /// Tensors of types that weights do not have, which were left out: names and types of those at the top, and how many
  /// there are.
  std::vector<std::pair<std::string, std::string>> foreign;
  size_t foreign_count = 0;
  bool has_checksums = true;  ///< false: damage inside of a tensor cannot be seen
};
EFFDET_API CheckpointInfo inspect_checkpoint(const std::filesystem::path& path);

}  // namespace effdet
