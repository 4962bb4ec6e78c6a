// Compiled models: compile, save, load, run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/export.h"
#include "effdet/onnx_model.h"

namespace effdet {

/// Measured choices: the model is run in all the ways that the compiler has for its layers, and the fastest are kept.
struct Tuning {
  /// Of the file of measurements for this processor, which layers that are known are taken from; empty:
  /// $TUNE_BANK_PATH, else $XDG_CACHE_HOME/effdet/tuning or ~/.cache/effdet/tuning.
  std::filesystem::path folder;
  double seconds = 60;  ///< for measuring each plan
  int threads = 0;      ///< to run with; 0: EFFDET_NUM_THREADS or all cores
  bool repeat = false;  ///< measure anew what the file has
  std::function<void(double share_done)> on_progress;
  /// What came of it: kinds of layers, how many of them were measured now, and how many are fused otherwise than
  /// without tuning.
  std::function<void(size_t layers, size_t measured, size_t changed, const std::filesystem::path& file)> on_done;
};

/// Names of the devices that this library compiles for and runs on. The first is the CPU.
EFFDET_API std::vector<std::string> devices();

struct CompileOptions {
  /// One of devices(). Throws Error(kUsage) for another name.
  std::string device = "cpu";
  /// New shapes for inputs by name (batch, image size).
  std::map<std::string, std::vector<int64_t>> input_shapes;
  /// One model for several shapes: each entry is a plan, its shapes laid over input_shapes. Plans share their weights.
  /// Empty: one plan.
  std::vector<std::map<std::string, std::vector<int64_t>>> plans;
  /// Outputs by tensor name, in this order; empty: those of the graph.
  std::vector<std::string> outputs;
  /// Preprocessing that becomes a part of the model (AIPP): a file `aipp_op { key: value ... }`. The model then takes
  /// uint8 images in the file's format. Empty: none.
  std::filesystem::path insert_op_conf;
  Precision precision = Precision::kFloat32;
  /// With bfloat16: layers that stay float32, by name or pattern (as a shell's: "*predict*"). Names are those of
  /// CompiledModel::steps(). Throws Error(kUsage) for one that matches nothing.
  std::vector<std::string> keep_float32;
  std::optional<Tuning> tuning;
  /// Called after each stage with its name and the graph as it is then; operators that fusion makes are in the domain
  /// "ai.effdet".
  std::function<void(std::string_view stage, const OnnxModel& graph)> on_stage;
};

/// What a detector needs to know of a model besides its tensors; from the exporter's metadata.
struct ModelDescription {
  std::string model;  ///< "" where the graph did not come from this library
  int num_classes = 0;
  int height = 0, width = 0, batch = 1;  ///< of the input
  int min_level = 3, max_level = 7;
  std::array<float, 3> mean{}, std{};  ///< RGB, for values in 0..1
  std::array<uint8_t, 3> fill{};
  std::vector<std::string> class_names;
};

/// Preprocessing in the model: what images it takes, and what it does with them, in words and in order.
struct AippDescription {
  std::string format;         ///< RGB888_U8, XRGB8888_U8, YUV420SP_U8 or YUV400_U8
  int height = 0, width = 0;  ///< of the images
  std::vector<std::string> steps;
};

/// A program for this processor. Copies share it.
class CompiledModel {
 public:
  /// Throws Error(kUnsupported) for operators that nothing runs, Error(kBadInput) for graphs that make no sense.
  EFFDET_API static CompiledModel compile(const OnnxModel& model, const CompileOptions& options = {});
  /// Maps a file; weights are read from it as they are needed. Throws Error(kBadInput) for a damaged or hostile file.
  EFFDET_API static CompiledModel load(const std::filesystem::path& path);
  /// Compiles a checkpoint or an ONNX file, or loads a compiled model, as the file is.
  EFFDET_API static CompiledModel open(const std::filesystem::path& path, const ModelOptions& options = {});
  EFFDET_API void save(const std::filesystem::path& path) const;

  /// A model for several shapes of its input has a plan for each. What follows, and everything that takes a model and
  /// no plan, is about the first.
  EFFDET_API size_t plan_count() const;
  /// A model of this plan alone, which shares all with this one.
  EFFDET_API CompiledModel plan(size_t index) const;

  EFFDET_API std::vector<TensorInfo> inputs() const;
  EFFDET_API std::vector<TensorInfo> outputs() const;
  EFFDET_API std::map<std::string, std::string> metadata() const;
  /// As OnnxModel's.
  EFFDET_API std::string weights_warning() const;
  EFFDET_API std::optional<int64_t> parameters() const;
  /// Throws Error(kUnsupported) where the model carries no description.
  EFFDET_API ModelDescription description() const;
  /// Nothing where the model takes float planes.
  EFFDET_API std::optional<AippDescription> aipp() const;
  /// Activations (of the plan that has most) and weights, in bytes.
  EFFDET_API uint64_t arena_bytes() const;
  EFFDET_API uint64_t weight_bytes() const;
  /// Parts of a batch that the first plan runs one after the other: its steps' shapes are those of one micro-batch.
  EFFDET_API int64_t micro_batches() const;

  /// One step of the program: what it does and which implementation runs it here.
  struct Step {
    std::string name, op, implementation;
    std::string type;  ///< of the products: "float32" or "bfloat16"
    std::vector<int64_t> output_shape;
    std::vector<std::string> refusals;  ///< better implementations, and why they cannot run it
    int64_t flops = 0;                  ///< multiplications and additions of one run
    int64_t bytes = 0;                  ///< of the step's inputs, weights and outputs
  };
  EFFDET_API std::vector<Step> steps() const;

 private:
  friend class Runner;
  friend class Executor;
  friend struct EngineAccess;
  friend struct GraphAccess;
  struct Impl;
  explicit CompiledModel(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// What this machine reaches at best, measured in half a second: the limits of every step.
struct MachineRates {
  double flops = 0;       ///< a second, float32 matrix multiplication on data in the cache
  double bf16_flops = 0;  ///< the same in bfloat16
  double bytes = 0;       ///< a second, read and written by a copy of data far larger than the caches
};
/// threads as for Runner.
EFFDET_API MachineRates measure_machine(int threads = 0);

/// Whether the instructions in use here multiply bfloat16: only then do bfloat16 models run faster than float32 ones.
EFFDET_API bool multiplies_bfloat16();

/// Runs a compiled model. One thread at a time may use a Runner; several Runners share the model.
class Runner {
 public:
  /// threads: 0 for as many as EFFDET_NUM_THREADS or the processor says. Allocates all that run() needs.
  EFFDET_API explicit Runner(const CompiledModel& model, int threads = 0);
  EFFDET_API ~Runner();
  EFFDET_API Runner(Runner&&) noexcept;

  /// Reads inputs and writes outputs in the caller's memory, in the order and with the sizes of inputs() and outputs()
  /// of that plan. The plans of a model use the same memory one after the other. The same input gives the same bits at
  /// any number of threads. Throws Error(kUsage) for other numbers or sizes, and for a plan that the model has not.
  EFFDET_API void run(std::span<const std::span<const std::byte>> inputs, std::span<const std::span<std::byte>> outputs,
                      size_t plan = 0);
  EFFDET_API int threads() const;
  /// Bytes of each input and output of a plan.
  EFFDET_API const std::vector<size_t>& input_bytes(size_t plan = 0) const;
  EFFDET_API const std::vector<size_t>& output_bytes(size_t plan = 0) const;
  /// Called with the step's index and seconds after each step of run(), where set.
  EFFDET_API void on_step(std::function<void(size_t step, double seconds)> callback);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
