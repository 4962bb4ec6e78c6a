// Runs the steps of an activation on the rows that a task has written.
#include "kernels/cpu/epilogue.h"

#include <algorithm>

namespace effdet::kernels::cpu {

template <typename T>
void Epilogue::run(T* y, int64_t rows, int64_t columns, int64_t stride) const {
  if (!has_steps_) return;
  if (stride == columns) columns = std::exchange(rows, 1) * columns;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; column += kBlockValues)
      run_block(y + row * stride + column, static_cast<int>(std::min(kBlockValues, columns - column)));
}

void Epilogue::run_block(float* y, int count) const {
  alignas(64) float registers[kMostRegisters * kBlockValues];
  const ElementwiseRun::Operand x{y, 1};
  program_.run(&x, y, count, registers);
}

void Epilogue::run_block(Bf16* y, int count) const {
  alignas(64) float registers[kMostRegisters * kBlockValues], wide[kBlockValues];
  micro_.widen(y, wide, count);
  const ElementwiseRun::Operand x{wide, 1};
  program_.run(&x, wide, count, registers);
  micro_.narrow(wide, y, count);
}

std::string refuse_epilogue(const ops::ActivationSteps& all) {
  const Epilogue epilogue(micro_kernels(), all);
  return epilogue.program_.registers() > Epilogue::kMostRegisters ? "too many steps at once" : "";
}

std::string refuse_epilogue(const ops::ActivationSteps& all, ir::Layout output) {
  if (auto refusal = refuse_epilogue(all); !refusal.empty()) return refusal;
  return !all.steps.empty() && output != ir::Layout::kNhwc ? "steps after the activation need NHWC" : "";
}

template void Epilogue::run(float*, int64_t, int64_t, int64_t) const;
template void Epilogue::run(Bf16*, int64_t, int64_t, int64_t) const;

}  // namespace effdet::kernels::cpu
