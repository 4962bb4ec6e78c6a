// Compiled models: compile, save, load, run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "effdet/compile_options.h"
#include "effdet/export.h"
#include "effdet/model_description.h"
#include "effdet/model_options.h"
#include "effdet/tensor_info.h"
#include "effdet/threads.h"

namespace effdet {

class OnnxModel;
struct StructureBlock;

/// A model compiled for a device: one program (plan) for each set of input shapes. Immutable; copies share it.
class CompiledModel {
 public:
  /// Throws Error(kUnsupported) for operators that no kernel can run, Error(kBadInput) for an inconsistent graph or
  /// input shapes that are not known, Error(kUsage) for options that name what the model does not have.
  EFFDET_API static CompiledModel compile(const OnnxModel& model, const CompileOptions& options = {});
  /// Maps a file into memory; weights are read from it on demand. Throws Error(kIo), Error(kBadInput) for a damaged or
  /// hostile file, Error(kUnsupported) for another version or target.
  /// device: "cpu"; or "ascend", "ascend:1", "ascend:0,1": the file is handed to AscendCL, which runs it on these
  /// cards, each Runner on the next of them. Empty: what the file was compiled for, for CANN's files the first card.
  /// Throws Error(kUsage) for another device, and for AscendCL's errors Error(kIo), Error(kOutOfMemory) or, where there
  /// is no AscendCL, Error(kUnsupported).
  /// metadata: for a model without metadata of this library's exporter, as CANN's are, the ONNX file that it was
  /// compiled from, or a file of keep_metadata(). Empty: the one beside it, where it is of this model. Throws
  /// Error(kUsage) where the model has its own, Error(kUnsupported) for an ONNX file without any, Error(kBadInput) for
  /// a damaged file, or a named one of another model.
  EFFDET_API static CompiledModel load(const std::filesystem::path& path, const std::string& device = "",
                                       const std::filesystem::path& metadata = {});
  /// The same for a file that is in memory, which is copied. name: what messages call it.
  EFFDET_API static CompiledModel load(std::span<const std::byte> file, const std::string& name);
  /// Loads a compiled model, or compiles an ONNX file or a checkpoint, depending on file_kind(). Throws as load(),
  /// OnnxModel::read(), OnnxModel::from_checkpoint() and compile().
  EFFDET_API static CompiledModel open(const std::filesystem::path& path, const ModelOptions& options = {});
  /// Writes the model, whole or not at all. Throws Error(kIo).
  EFFDET_API void save(const std::filesystem::path& path) const;

  /// Number of plans: one for each entry of CompileOptions::plans. The functions below, and all others that take a
  /// model without the index of a plan, are about the first plan.
  EFFDET_API size_t plan_count() const;
  /// A model with this plan only; it shares the program and weights. Throws Error(kUsage) for an index out of range.
  EFFDET_API CompiledModel plan(size_t index) const;

  EFFDET_API std::vector<TensorInfo> inputs() const;
  EFFDET_API std::vector<TensorInfo> outputs() const;
  EFFDET_API std::map<std::string, std::string> metadata() const;
  /// As OnnxModel::weights_warning().
  EFFDET_API std::string weights_warning() const;
  /// What it was compiled for, and which device of that kind it runs on: "cpu", "cuda", "cuda:1", "ascend:0,1".
  EFFDET_API std::string device() const;
  /// One line on steps that the device leaves to the processor, for the user to read; "" where it runs all.
  EFFDET_API std::string device_note() const;
  /// As OnnxModel::parameters().
  EFFDET_API std::optional<int64_t> parameters() const;
  /// Throws Error(kUnsupported) if the model has no metadata of this library's exporter, or if its input is not a batch
  /// of RGB images.
  EFFDET_API ModelDescription description() const;
  /// Preprocessing inside the model; empty if the model takes the network's own input.
  EFFDET_API std::optional<AippDescription> aipp() const;
  /// Memory for activations, in bytes: the largest of all plans.
  EFFDET_API uint64_t arena_bytes() const;
  /// Size of all plans' weights in bytes; shared weights count once.
  EFFDET_API uint64_t weight_bytes() const;
  /// Number of micro-batches that a batch is split into to save memory. They run one after another; the shapes in
  /// steps() are those of one micro-batch.
  EFFDET_API int64_t micro_batches() const;

  using Step = StepInfo;
  /// The steps in execution order.
  EFFDET_API std::vector<Step> steps() const;

 private:
  friend struct EngineAccess;
  friend std::vector<StructureBlock> structure(const CompiledModel&);
  struct Impl;
  explicit CompiledModel(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// Runs a compiled model. Not thread-safe: each thread needs its own Runner; Runners share the model's weights.
class Runner {
 public:
  /// Allocates all memory that run() needs. threads: 0 for EFFDET_NUM_THREADS or, if that is not set, one for each
  /// core. Throws Error(kOutOfMemory).
  EFFDET_API explicit Runner(const CompiledModel& model, int threads = 0);
  /// On threads that others use, too.
  EFFDET_API Runner(const CompiledModel& model, const Threads& threads);
  EFFDET_API ~Runner();
  EFFDET_API Runner(Runner&&) noexcept;

  /// Runs the plan of that index. Inputs and outputs are dense tensors in the caller's memory, in the order and with
  /// the sizes of input_bytes(plan) and output_bytes(plan). Allocates nothing. The result is bit-identical for any
  /// number of threads. Throws Error(kUsage) for another number or size of tensors, and for an index out of range.
  EFFDET_API void run(std::span<const std::span<const std::byte>> inputs, std::span<const std::span<std::byte>> outputs,
                      size_t plan = 0);
  EFFDET_API int threads() const;
  /// Seconds of the last run() that went into copies between host and device; 0 on the CPU, which works in the caller's
  /// memory.
  struct Transfers {
    double to_device = 0, from_device = 0;
  };
  EFFDET_API Transfers last_transfers() const;
  /// Size of each input and output of a plan, in bytes.
  EFFDET_API const std::vector<size_t>& input_bytes(size_t plan = 0) const;
  EFFDET_API const std::vector<size_t>& output_bytes(size_t plan = 0) const;
  /// Whether run() reads the output again after it has written it. Such an output must not lie where somebody else may
  /// write meanwhile, as in memory that processes share.
  EFFDET_API bool reads_output(size_t output, size_t plan = 0) const;
  /// Sets a function that run() calls after each step of each micro-batch, with the index of the step in steps() and
  /// its duration.
  EFFDET_API void on_step(std::function<void(size_t step, double seconds)> callback);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
