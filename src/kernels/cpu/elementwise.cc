// Elementwise programs over broadcast operands: blocks of the output, each through all steps. What does not lie as the
// output does (a value a channel, a row of a map, another type) is first laid out beside the block.
#include <algorithm>
#include <numeric>

#include "kernels/cpu/block_program.h"
#include "kernels/cpu/cpu.h"
#include "ops/strided.h"

namespace effdet::kernels::cpu {
namespace {

// Values of a task: enough to be worth handing to another thread.
constexpr int64_t kProgramTaskValues = 1 << 14;

/// The output's dimensions, those merged that all operands walk through as one, and each operand's strides.
struct Walk {
  Shape shape;                                ///< at least one dimension
  std::vector<std::vector<int64_t>> strides;  ///< of each operand; the innermost is 0 or 1
};

Walk merged(const Shape& shape, std::vector<std::vector<int64_t>> strides) {
  Walk walk{{}, std::vector<std::vector<int64_t>>(strides.size())};
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    bool joins = !walk.shape.empty();
    for (size_t k = 0; k < strides.size() && joins; ++k) joins = walk.strides[k].back() == strides[k][i] * shape[i];
    if (joins) {
      walk.shape.back() *= shape[i];
    } else {
      walk.shape.push_back(shape[i]);
    }
    for (size_t k = 0; k < strides.size(); ++k) {
      if (joins) walk.strides[k].pop_back();
      walk.strides[k].push_back(strides[k][i]);
    }
  }
  if (walk.shape.empty()) {
    walk.shape = {1};
    for (auto& of_operand : walk.strides) of_operand = {0};
  }
  return walk;
}

class Elementwise : public Kernel {
 public:
  Elementwise(const PlanContext& c, const ops::ElementwiseProgram& program)
      : micro_(micro_kernels()), program_(micro_, program), narrow_output_(c.outputs[0].dtype == DType::kBF16) {
    const Shape& shape = c.outputs[0].shape;
    std::vector<std::vector<int64_t>> strides;
    for (const ValueInfo& input : c.inputs) strides.push_back(ops::broadcast_strides(input.shape, shape));
    walk_ = merged(shape, std::move(strides));
    line_ = walk_.shape.back();
    lines_ = std::accumulate(walk_.shape.begin(), walk_.shape.end() - 1, int64_t{1}, std::multiplies{});
    block_lines_ = std::clamp<int64_t>(kBlockValues / line_, 1, lines_);
    for (size_t i = 0; i < c.inputs.size(); ++i)
      operands_.push_back({way_of(walk_.strides[i], c.inputs[i].dtype), c.inputs[i].dtype == DType::kBF16});
  }

  size_t scratch_bytes(int threads) const override {
    return static_cast<size_t>(threads * thread_blocks() * kBlockValues) * sizeof(float);
  }

  void run(const RunContext& context) const override {
    // A block is some lines, or a part of one.
    const int64_t parts = (line_ + kBlockValues - 1) / kBlockValues,
                  groups = (lines_ + block_lines_ - 1) / block_lines_;
    const int64_t blocks = groups * parts, values = std::min(kBlockValues, block_lines_ * line_);
    const int64_t step = std::max<int64_t>(1, kProgramTaskValues / values);
    context.threads.parallel_for((blocks + step - 1) / step, [&](int64_t task, int thread) {
      float* scratch = context.scratch_floats() + thread * thread_blocks() * kBlockValues;
      bool is_first = true;
      for (int64_t block = task * step; block < std::min(blocks, (task + 1) * step); ++block, is_first = false) {
        const int64_t first = block / parts * block_lines_, column = block % parts * kBlockValues;
        run_block(context, first, std::min(block_lines_, lines_ - first), column,
                  std::min(kBlockValues, line_ - column), is_first, scratch);
      }
    });
  }

 private:
  enum class Way : uint8_t {
    kAsItLies,  ///< as the output
    kOneValue,  ///< the same for all
    kRepeated,  ///< a line, the same for all lines
    kGathered,  ///< line by line
  };
  struct Operand {
    Way way;
    bool is_narrow;
  };

  Way way_of(const std::vector<int64_t>& strides, DType dtype) const {
    const auto outer = std::span(strides).first(strides.size() - 1);
    const bool constant = std::ranges::all_of(outer, [](int64_t stride) { return stride == 0; });
    if (strides.back() == 0 && constant && dtype == DType::kF32) return Way::kOneValue;
    // Where a block is a part of one line, any line of neighbouring values will do.
    const bool dense = strides == ops::dense_strides(walk_.shape) || block_lines_ == 1;
    if (strides.back() == 1 && dense && dtype == DType::kF32) return Way::kAsItLies;
    if (strides.back() == 0 && block_lines_ == 1 && dtype == DType::kF32) return Way::kOneValue;
    return constant && line_ <= kBlockValues ? Way::kRepeated : Way::kGathered;
  }

  /// Registers, a block for each operand that is laid out, and one for what becomes narrow.
  int64_t thread_blocks() const {
    return program_.registers() + static_cast<int64_t>(operands_.size()) + (narrow_output_ ? 1 : 0);
  }

  /// Where a line of an operand begins.
  int64_t offset_of(size_t operand, int64_t line) const {
    int64_t offset = 0;
    for (size_t axis = walk_.shape.size() - 1; axis-- > 0; line /= walk_.shape[axis])
      offset += line % walk_.shape[axis] * walk_.strides[operand][axis];
    return offset;
  }

  void run_block(const RunContext& context, int64_t line, int64_t lines, int64_t column, int64_t columns, bool is_first,
                 float* scratch) const {
    ElementwiseRun::Operand operands[ops::kMaxElementwiseInputs];
    float* own = scratch + program_.registers() * kBlockValues;
    for (size_t i = 0; i < operands_.size(); ++i) {
      float* const block = own + static_cast<int64_t>(i) * kBlockValues;
      const Way way = operands_[i].way;
      if (way == Way::kAsItLies || way == Way::kOneValue) {
        const int step = way == Way::kAsItLies ? 1 : 0;
        operands[i] = {context.input(i) + offset_of(i, line) + step * column, step};
        continue;
      }
      if (way == Way::kGathered || is_first)
        for (int64_t k = 0; k < lines; ++k) lay_out(context, i, line + k, column, columns, block + k * columns);
      operands[i] = {block, 1};
    }
    const int64_t at = line * line_ + column, count = lines * columns;
    float* wide = narrow_output_ ? own + static_cast<int64_t>(operands_.size()) * kBlockValues : context.output() + at;
    program_.run(operands, wide, static_cast<int>(count), scratch);
    if (narrow_output_) micro_.narrow(wide, context.output<Bf16>() + at, count);
  }

  void lay_out(const RunContext& context, size_t operand, int64_t line, int64_t column, int64_t columns,
               float* target) const {
    const int64_t step = walk_.strides[operand].back(), at = offset_of(operand, line) + step * column;
    const int64_t count = step == 0 ? 1 : columns;
    if (operands_[operand].is_narrow) {
      micro_.widen(context.input<Bf16>(operand) + at, target, count);
    } else {
      std::copy_n(context.input(operand) + at, count, target);
    }
    if (step == 0) std::fill_n(target + 1, columns - 1, *target);
  }

  const MicroKernels& micro_;
  BlockProgram program_;
  bool narrow_output_;
  Walk walk_;
  int64_t line_ = 1, lines_ = 1;  // values of a line, and how many there are
  int64_t block_lines_ = 1;       // of a block
  std::vector<Operand> operands_;
};

}  // namespace

Plan plan_elementwise(const PlanContext& c) {
  const Shape& shape = c.outputs[0].shape;
  if (std::ranges::find(shape, 0) != shape.end()) return {nullptr, "no values"};
  return {std::make_unique<Elementwise>(c, ops::elementwise_program_of(c.node)), ""};
}

}  // namespace effdet::kernels::cpu
