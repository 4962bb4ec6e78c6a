// Elementwise programs on blocks of values that stay in the first-level cache: all steps of a block, then the next.
#pragma once

#include <vector>

#include "kernels/cpu/micro_kernels.h"
#include "ops/elementwise_program.h"

namespace effdet::kernels::cpu {

/// Values of a block, at most: 2 KB in a register.
inline constexpr int64_t kBlockValues = 512;

class BlockProgram {
 public:
  BlockProgram(const MicroKernels& micro, const ops::ElementwiseProgram& program);

  /// Blocks of kBlockValues that run() needs as scratch.
  int64_t registers() const { return registers_; }

  /// y = program(inputs) for a block. y may be where an input is whose values are the block's own, one by one.
  void run(const ElementwiseRun::Operand* inputs, float* y, int count, float* registers) const;

 private:
  enum class Place : uint8_t { kInput, kRegister, kNumber };
  struct Source {
    Place place = Place::kNumber;
    size_t index = 0;
    float number = 0;
  };
  struct Step {
    ops::ElementwiseOp op;
    Source a, b;
    float numbers[2];
    size_t target;  ///< register
  };

  const MicroKernels& micro_;
  std::vector<Step> steps_;
  int64_t registers_ = 0;
};

}  // namespace effdet::kernels::cpu
