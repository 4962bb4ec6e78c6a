// Options for compiling a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/model_options.h"

namespace effdet {

class OnnxModel;

/// Autotuning: the model is run with each implementation that the compiler can choose for its layers, and the fastest
/// are kept. Results are stored in a file for this processor, instruction set and number of threads, and reused.
struct Tuning {
  /// Folder of that file. Empty: $TUNE_BANK_PATH, else $XDG_CACHE_HOME/effdet/tuning, else ~/.cache/effdet/tuning.
  std::filesystem::path folder;
  double seconds = 60;  ///< time for measuring each plan
  int threads = 0;      ///< threads that the model will run with; 0: EFFDET_NUM_THREADS, or all cores
  bool repeat = false;  ///< measure again what the file has
  std::function<void(double share_done)> on_progress;  ///< share_done: 0 to 1
  /// Called for each plan when its measurements are done: distinct layers with a choice, how many of them were measured
  /// now, how many choices differ from those without tuning, and the file.
  std::function<void(size_t layers, size_t measured, size_t changed, const std::filesystem::path& file)> on_done;
};

struct CompileOptions {
  /// Device to compile for, one of devices(); another name is Error(kUsage).
  std::string device = "cpu";
  /// New shapes for inputs, by name (another batch or image size).
  std::map<std::string, std::vector<int64_t>> input_shapes;
  /// For a model with several input shapes: one entry for each plan, its shapes by input name; they override
  /// input_shapes. Plans share their weights. Empty: one plan.
  std::vector<std::map<std::string, std::vector<int64_t>>> plans;
  /// Tensors that become the outputs, in this order. Empty: the graph's outputs.
  std::vector<std::string> outputs;
  /// A file with Ascend's AIPP preprocessing, `aipp_op { key: value ... }`, which becomes part of the model. The
  /// model's input is then uint8 images in the format that the file gives. Empty: none.
  std::filesystem::path insert_op_conf;
  /// Of a graph that is quantized, layers that QuantizeLinear and DequantizeLinear nodes stand around compute in 8 bits
  /// whatever this says; kInt8 demands such nodes, and leaves other layers float32.
  Precision precision = Precision::kFloat32;
  /// For bfloat16: layers that stay float32, by name or by a shell pattern ("*predict*"). Names are those of
  /// CompiledModel::steps(). One that matches no layer is Error(kUsage).
  std::vector<std::string> keep_float32;
  std::optional<Tuning> tuning;  ///< empty: the compiler estimates which implementation is the fastest
  /// Called after each compiler stage with its name and the graph. Fused operators are in the domain "ai.effdet".
  std::function<void(std::string_view stage, const OnnxModel& graph)> on_stage;
};

}  // namespace effdet
