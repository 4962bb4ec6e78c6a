// Runs programs. An Engine is constant and shared; a Session holds what one stream of calls needs.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "artifact/program.h"
#include "base/thread_pool.h"
#include "kernels/kernel.h"

namespace effdet::runtime {

/// A program with a kernel chosen for each step. Safe to share between threads.
class Engine {
 public:
  /// With reference_only every step runs on its reference kernel: the oracle. Throws Error(kUnsupported).
  explicit Engine(artifact::Program program, bool reference_only = false);

  const artifact::Program& program() const { return program_; }
  size_t input_count() const { return program_.graph.inputs.size(); }
  size_t output_count() const { return program_.graph.outputs.size(); }
  /// As the caller has them: with the images of all turns.
  const ir::Value& input(size_t i) const { return inputs_.at(i); }
  const ir::Value& output(size_t i) const { return outputs_.at(i); }
  const std::vector<ir::Value>& inputs() const { return inputs_; }
  const std::vector<ir::Value>& outputs() const { return outputs_; }
  /// Which implementation each step runs on, and which were refused.
  const std::vector<kernels::Choice>& choices() const { return choices_; }

 private:
  artifact::Program program_;
  std::vector<ir::Value> inputs_, outputs_;
  std::vector<kernels::Choice> choices_;
};

/// One stream of inferences: arena, scratch and threads. Not to be used by two threads at once.
class Session {
 public:
  /// Allocates everything that run() needs. Throws Error(kOutOfMemory).
  Session(std::shared_ptr<const Engine> engine, int threads);
  /// For several plans of one model, which take turns in the same memory.
  Session(std::span<const std::shared_ptr<const Engine>> plans, int threads);

  const Engine& engine(size_t plan = 0) const { return *plans_.at(plan).engine; }
  int threads() const { return threads_.size(); }
  size_t memory_bytes() const { return memory_bytes_; }

  /// Runs on the caller's memory: inputs and outputs are as many, and as large, as the engine says. Allocates nothing.
  void run(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs, size_t plan = 0);
  /// The same on tensors, with the first plan; throws Error(kBadInput) for another number, type or shape of inputs.
  std::vector<Tensor> run(std::span<const Tensor> inputs);

  /// Where a step's outputs lie, valid until the next step runs; null for one that nobody wants.
  std::span<std::byte* const> step_outputs(size_t step, size_t plan = 0) const {
    return plans_.at(plan).steps.at(step).outputs;
  }

  /// Called after each step of each turn with its index and seconds, where set: for profiles.
  std::function<void(size_t step, double seconds)> on_step;

 private:
  struct Step {
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
  };
  /// A tensor of a step that lies in the caller's memory: bound anew in each run.
  struct Binding {
    size_t step, slot, index;
    bool of_output_list;  // the slot is in Step::outputs
    bool to_output;       // index is of the caller's outputs
    size_t turn_bytes;    // from one turn's part to the next
  };
  /// An engine with the addresses of its steps' tensors.
  struct Plan {
    std::shared_ptr<const Engine> engine;
    std::vector<Step> steps;
    std::vector<Binding> bindings;
  };
  void bind_step(Plan& plan, size_t step) const;
  void run_turn(Plan& plan);

  ThreadPool threads_;
  std::shared_ptr<std::byte> arena_, scratch_;
  size_t memory_bytes_ = 0;
  std::vector<Plan> plans_;
};

}  // namespace effdet::runtime
