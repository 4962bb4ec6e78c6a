// Runs a program step by step on one block of values.
#include "kernels/cpu/block_program.h"

#include <algorithm>

namespace effdet::kernels::cpu {

BlockProgram::BlockProgram(const MicroKernels& micro, const ops::ElementwiseProgram& program) : micro_(micro) {
  using Kind = ops::ElementwiseOperand::Kind;
  std::vector<size_t> last_reader(program.size(), 0);
  for (size_t i = 0; i < program.size(); ++i)
    for (const ops::ElementwiseOperand& operand : program[i].operands)
      if (operand.kind == Kind::kStep) last_reader[operand.index] = i;
  std::vector<size_t> free;
  for (size_t i = 0; i < program.size(); ++i) {
    const ops::ElementwiseOperator& op = ops::elementwise_operator(program[i].op);
    Step step{.op = program[i].op, .a = {}, .b = {}, .numbers = {}, .target = 0};
    size_t numbers = 0;
    for (size_t k = 0; k < program[i].operands.size(); ++k) {
      const ops::ElementwiseOperand& operand = program[i].operands[k];
      if (op.takes_number(k)) {
        step.numbers[numbers++] = operand.number;
        continue;
      }
      Source& source = k == 0 ? step.a : step.b;
      source = {operand.kind == Kind::kInput  ? Place::kInput
                : operand.kind == Kind::kStep ? Place::kRegister
                                              : Place::kNumber,
                operand.index, operand.number};
      if (operand.kind != Kind::kStep) continue;
      source.index = steps_[operand.index].target;
      // A step may write where it reads; x * x frees its register once.
      if (last_reader[operand.index] == i && std::ranges::find(free, source.index) == free.end())
        free.push_back(source.index);
    }
    if (free.empty()) free.push_back(static_cast<size_t>(registers_++));
    step.target = free.back();
    free.pop_back();
    steps_.push_back(step);
    if (last_reader[i] == 0 && i + 1 < program.size()) free.push_back(step.target);  // nobody reads it
  }
}

void BlockProgram::run(const ElementwiseRun::Operand* inputs, float* y, int count, float* registers) const {
  const auto at = [&](size_t index) { return registers + static_cast<int64_t>(index) * kBlockValues; };
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    const auto operand = [&](const Source& source) -> ElementwiseRun::Operand {
      if (source.place == Place::kInput) return inputs[source.index];
      if (source.place == Place::kRegister) return {at(source.index), 1};
      return {&source.number, 0};
    };
    micro_.elementwise({.op = step.op,
                        .a = operand(step.a),
                        .b = operand(step.b),
                        .numbers = {step.numbers[0], step.numbers[1]},
                        .y = i + 1 == steps_.size() ? y : at(step.target),
                        .count = count});
  }
}

}  // namespace effdet::kernels::cpu
