// The steps that follow the activation of a layer: each task runs them on what it has just written.
#pragma once

#include "kernels/cpu/block_program.h"
#include "kernels/kernel.h"
#include "ops/fused.h"

namespace effdet::kernels::cpu {

class Epilogue {
 public:
  /// Of a node's attribute. Throws Error(kBadInput) as ops::activation_steps_of().
  Epilogue(const MicroKernels& micro, const ir::Node& node, std::string_view attribute = "activation")
      : Epilogue(micro, ops::activation_steps_of(node, attribute)) {}

  /// What the layer's own kernel does with its sums.
  Activation activation() const { return activation_; }
  bool has_steps() const { return has_steps_; }

  /// y = steps(y) for rows of neighbouring values, `stride` values apart.
  template <typename T>
  void run(T* y, int64_t rows, int64_t columns, int64_t stride) const;

 private:
  friend std::string refuse_epilogue(const PlanContext&, std::string_view);
  /// Registers of the steps, which lie on the stack.
  static constexpr int64_t kMostRegisters = 8;

  Epilogue(const MicroKernels& micro, const ops::ActivationSteps& all)
      : micro_(micro), activation_(all.activation), has_steps_(!all.steps.empty()), program_(micro, all.steps) {}

  void run_block(float* y, int count) const;
  void run_block(Bf16* y, int count) const;

  const MicroKernels& micro_;
  Activation activation_;
  bool has_steps_;
  BlockProgram program_;
};

/// Why a layer has no epilogue for an attribute; empty where it has.
std::string refuse_epilogue(const PlanContext& c, std::string_view attribute = "activation");

}  // namespace effdet::kernels::cpu
