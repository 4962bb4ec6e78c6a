// Options for building a model from a checkpoint.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "effdet/anchor_options.h"

namespace effdet {

/// Element type that a compiled model computes in. Its inputs and outputs are float32 in either case.
enum class Precision {
  kFloat32,
  /// Feature maps and weights are bfloat16, accumulators float32. Takes half the memory; about twice as fast on
  /// processors with bfloat16 multiplication (multiplies_bfloat16()), slower on others.
  kBfloat16,
  /// The same in IEEE's float16, which has more digits and less range: on GPUs alone.
  kFloat16,
  /// Feature maps and weights are 8-bit integers, except for some layers. A model becomes so by OnnxModel::quantize(),
  /// which needs images: a float32 model cannot be opened or compiled for it.
  kInt8,
};

/// What a checkpoint does not contain, or what is to override what it contains. Empty strings and zeros stand for the
/// checkpoint's value and, where it has none, the model variant's default. ONNX files and compiled models contain all
/// of this except class names and, for an ONNX file, the precision: opening one with an option that contradicts the
/// file throws Error(kUsage).
struct ModelOptions {
  /// Variant, one of model_names(), for example "tf_efficientdet_d0".
  std::string model;
  /// Variant to choose if the checkpoint fits several variants and this is one of them.
  std::string preferred;
  int num_classes = 0;
  /// Input size in pixels. Each side is a multiple of 128 or the variant's default.
  int height = 0, width = 0;
  /// Images in one batch.
  int batch = 1;
  /// One name for each class, class 0 first.
  std::vector<std::string> class_names;
  /// Use the exponential moving average of the weights, if the checkpoint has one.
  bool use_ema = false;
  /// Fields of effdet's model configuration that cannot be inferred from tensors, by effdet's names:
  /// {"redundant_bias", "false"}, {"head_act_type", "relu"}, {"pad_type", "same"}, {"norm_kwargs.eps", "1e-3"}, ...
  /// A configuration stored in the checkpoint takes precedence.
  std::vector<std::pair<std::string, std::string>> config;
  /// Ignore the model name, arguments and configuration that are stored in the checkpoint.
  bool ignore_config = false;
  /// Called with each line that the user should read: assumptions, ignored settings, weights that are NaN.
  std::function<void(const std::string& line)> on_note;
  AnchorOptions anchors;
  /// Precision to compile for, where opening a file compiles it. Empty: float32, or that of a compiled model.
  std::optional<Precision> precision;
  /// Where a compiled model runs, as in CompiledModel::load(). Another than "cpu" is Error(kUsage) for other files.
  std::string device;
  /// For a compiled model, as in CompiledModel::load(). Error(kUsage) for other files.
  std::filesystem::path metadata;
};

}  // namespace effdet
