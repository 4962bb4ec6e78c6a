// The steps that follow the activation of a layer: each task runs them on what it has just written.
#pragma once

#include "kernels/cpu/block_program.h"
#include "kernels/kernel.h"
#include "ops/fused/activation_steps.h"

namespace effdet::kernels::cpu {

class Epilogue {
 public:
  Epilogue(const MicroKernels& micro, const ops::ActivationSteps& all)
      : micro_(micro), activation_(all.activation), has_steps_(!all.steps.empty()), program_(micro, all.steps) {}

  /// What the layer's own kernel does with its sums.
  Activation activation() const { return activation_; }
  bool has_steps() const { return has_steps_; }

  /// y = steps(y) for rows of neighbouring values, `stride` values apart.
  template <typename T>
  void run(T* y, int64_t rows, int64_t columns, int64_t stride) const;

 private:
  friend std::string refuse_epilogue(const ops::ActivationSteps&);
  /// Registers of the steps, which lie on the stack.
  static constexpr int64_t kMostRegisters = 8;

  void run_block(float* y, int count) const;
  void run_block(Bf16* y, int count) const;

  const MicroKernels& micro_;
  Activation activation_;
  bool has_steps_;
  BlockProgram program_;
};

/// Why there is no epilogue of an activation and its steps; empty where there is.
std::string refuse_epilogue(const ops::ActivationSteps& all);
/// The same for a layer whose output it is.
std::string refuse_epilogue(const ops::ActivationSteps& all, ir::Layout output);

}  // namespace effdet::kernels::cpu
