// Runs programs on the devices that they were compiled for. An Engine is constant and shared; a Session holds what one
// stream of calls needs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "artifact/program.h"
#include "base/function_ref.h"
#include "effdet/threads.h"
#include "kernels/device.h"
#include "runtime/device_memory.h"

namespace effdet::runtime {

/// A program with a kernel chosen for each step. Safe to share between threads.
class Engine {
 public:
  /// With reference_only every step runs on its reference kernel: the oracle. Throws Error(kUnsupported), also for a
  /// program for a device that this library does not have.
  explicit Engine(artifact::Program program, bool reference_only = false);
  /// With constants that are in the device's memory already; null: they are not.
  Engine(artifact::Program program, bool reference_only, const std::shared_ptr<Constants>& constants);

  const artifact::Program& program() const { return program_; }
  const kernels::Device& device() const { return device_; }
  size_t input_count() const { return program_.graph.inputs.size(); }
  size_t output_count() const { return program_.graph.outputs.size(); }
  /// As the caller has them: with the images of all micro-batches.
  const ir::Value& input(size_t i) const { return inputs_.at(i); }
  const ir::Value& output(size_t i) const { return outputs_.at(i); }
  const std::vector<ir::Value>& inputs() const { return inputs_; }
  const std::vector<ir::Value>& outputs() const { return outputs_; }
  /// Which implementation each step runs on, and which were refused.
  const std::vector<kernels::Choice>& choices() const { return choices_; }
  const Constants& constants() const { return *constants_; }

 private:
  artifact::Program program_;
  const kernels::Device& device_;
  std::vector<ir::Value> inputs_, outputs_;
  std::vector<kernels::Choice> choices_;
  std::shared_ptr<const Constants> constants_;
};

/// Engines for the plans of one model, which share its constants. Throws as Engine does.
std::vector<std::shared_ptr<const Engine>> make_engines(std::vector<artifact::Program> plans);

/// One stream of inferences: arena, scratch, threads and the device's queue. Not to be used by two threads at once.
class Session {
 public:
  /// Allocates everything that run() needs. Throws Error(kOutOfMemory).
  Session(std::shared_ptr<const Engine> engine, int threads);
  /// For several plans of one model and one device, which use the same memory one after the other.
  Session(std::span<const std::shared_ptr<const Engine>> plans, int threads);
  /// On threads that other sessions use, too; each waits for its turn.
  Session(std::span<const std::shared_ptr<const Engine>> plans, const Threads& threads);

  const Engine& engine(size_t plan = 0) const { return *plans_.at(plan).engine; }
  int threads() const { return threads_.count(); }
  /// Of the device's memory, beside the constants.
  size_t memory_bytes() const { return memory_bytes_; }

  /// Runs on the caller's memory, which is the host's: inputs and outputs are as many, and as large, as the engine
  /// says. Allocates nothing.
  void run(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs, size_t plan = 0);
  /// What stands for the copies at one end of a run: puts into the queue what writes the inputs at their places in the
  /// device's memory, or takes from the outputs' places what it wants.
  using AtDevice = FunctionRef<void(kernels::Queue& queue, std::span<std::byte* const> places)>;
  /// Runs between these. Precondition: has_own_memory().
  void run_at_device(AtDevice write_inputs, AtDevice take_outputs, size_t plan = 0);
  /// Whether the device does not use the host's memory.
  bool has_own_memory() const { return inputs_.has_value(); }
  /// Copies of inputs and outputs, for either end of run_at_device().
  void upload(size_t plan, std::span<const std::byte* const> from) { inputs_->upload(*queue_, plan, from); }
  void download(size_t plan, std::span<std::byte* const> to) { outputs_->download(*queue_, plan, to); }

  /// The same on tensors, with the first plan; throws Error(kBadInput) for another number, type or shape of inputs.
  std::vector<Tensor> run(std::span<const Tensor> inputs);

  /// An output of a step that has just run, on the host; valid until the next step runs. Empty for one that nobody
  /// wants.
  Tensor step_output(size_t step, size_t output, size_t plan = 0) const;

  /// Whether a step reads an output of the plan after another one has written it.
  bool reads_output(size_t output, size_t plan) const;

  /// Seconds of the last run's copies to and from a device that does not use the host's memory, and of what lay
  /// between.
  double upload_seconds = 0, run_seconds = 0, download_seconds = 0;

  /// Called after each step of each micro-batch with its index and seconds, where set: for profiles.
  std::function<void(size_t step, double seconds)> on_step;

 private:
  struct Step {
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
  };
  /// A tensor of a step that is the caller's: bound anew in each run.
  struct Binding {
    size_t step, slot, index;
    bool of_output_list;  // the slot is in Step::outputs
    bool to_output;       // index is of the caller's outputs
    size_t part_bytes;    // of a micro-batch
  };
  /// An engine with the addresses of its steps' tensors.
  struct Plan {
    std::shared_ptr<const Engine> engine;
    std::vector<Step> steps;
    std::vector<Binding> bindings;
    bool is_recordable = false;  ///< whether all of its kernels are, and addresses stay the same
    bool has_run = false;
    std::unique_ptr<kernels::Recording> recording;
  };
  void bind_step(Plan& plan, size_t step) const;
  /// On the device's memory, in its own time: from a recording where there is one.
  void run_on_device(Plan& plan);
  /// On the device's memory.
  void run_plan(Plan& plan, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs);
  void run_steps(Plan& plan);

  const kernels::Device& device_;
  Threads threads_;
  std::shared_ptr<std::byte> arena_, scratch_;
  std::optional<Staging> inputs_, outputs_;  // where kernels cannot use the caller's memory
  size_t memory_bytes_ = 0;
  std::vector<Plan> plans_;
  // Null where the device has none. The last member: it ends before the memory goes that its kernels use.
  std::unique_ptr<kernels::Queue> queue_;
};

}  // namespace effdet::runtime
