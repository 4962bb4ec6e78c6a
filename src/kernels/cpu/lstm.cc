// LSTM: one product for the inputs of all steps, and then step by step those of the hidden values, whose weights lie so
// that a task has all gates of its cells.
#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"
#include "kernels/cpu/typed.h"
#include "ops/recurrent.h"

namespace effdet::kernels::cpu {
namespace {

constexpr int64_t kGates = 4;
// Columns of sums that a unit of kPanel cells has.
constexpr int64_t kUnitColumns = kGates * kPanel;
// Units of a task in the product of the inputs: whole register tiles.
constexpr int64_t kTaskUnits = 3;
// Units whose gates are multiplied at once.
constexpr int64_t kStepUnits = 2;

class Lstm : public Kernel {
 public:
  Lstm(const PlanContext& c, const ops::RecurrentSizes& sizes)
      : micro_(micro_kernels()),
        s_(sizes),
        units_((s_.hidden + kPanel - 1) / kPanel),
        reversed_(c.node.get_string("direction", "forward") == "reverse"),
        w_(pack(*c.inputs[1].constant, s_.inputs)),
        r_(pack(*c.inputs[2].constant, s_.hidden)),
        bias_(static_cast<size_t>(s_.directions * columns()), 0.0f),
        no_bias_(static_cast<size_t>(kStepUnits * kUnitColumns), 0.0f) {
    if (c.has(3)) add_biases(c.inputs[3].constant->data<float>());
  }

  size_t scratch_bytes(int threads) const override {
    return static_cast<size_t>(sums() + s_.directions * s_.batch * (cells() + 2 * s_.hidden) +
                               threads * task_values()) *
           sizeof(float);
  }

  void run(const RunContext& context) const override {
    Memory memory;
    memory.sums = context.scratch_floats();
    memory.cells = memory.sums + sums();
    memory.hidden[0] = memory.cells + s_.directions * s_.batch * cells();
    memory.hidden[1] = memory.hidden[0] + s_.directions * s_.batch * s_.hidden;
    memory.tasks = memory.hidden[1] + s_.directions * s_.batch * s_.hidden;
    begin(context, memory);
    multiply_inputs(context, memory);
    // A thread has the same part of the weights at each step, and goes through it back and forth: what it read last is
    // still in its cache.
    const int64_t parts = (units_ + kStepUnits - 1) / kStepUnits, all = s_.directions * parts;
    const int64_t tasks = std::min<int64_t>(context.threads.size(), all);
    for (int64_t i = 0; i < s_.steps; ++i) {
      context.threads.parallel_for(tasks, [&](int64_t task, int thread) {
        const int64_t begin = all * task / tasks, end = all * (task + 1) / tasks;
        for (int64_t k = begin; k < end; ++k) {
          const int64_t part = i % 2 == 0 ? k : begin + end - 1 - k;
          step(context, memory, i, part / parts, part % parts * kStepUnits, memory.tasks + thread * task_values());
        }
      });
      std::swap(memory.hidden[0], memory.hidden[1]);
    }
    end(context, memory);
  }

 private:
  struct Memory {
    float* sums;       ///< [direction][step][image][columns]: what the inputs give to the gates
    float* cells;      ///< [direction][image][cells]
    float* hidden[2];  ///< [direction][image][hidden]: of the step before, and of this
    float* tasks;      ///< the gates of a task's cells
  };

  int64_t columns() const { return units_ * kUnitColumns; }
  int64_t cells() const { return units_ * kPanel; }
  int64_t sums() const { return s_.directions * s_.steps * s_.batch * columns(); }
  int64_t task_values() const { return s_.batch * kStepUnits * kUnitColumns; }

  /// Where gate `gate` of hidden value i is among the columns.
  static int64_t column_of(int64_t gate, int64_t i) { return (i / kPanel * kGates + gate) * kPanel + i % kPanel; }

  /// [directions][gates * hidden][depth] as panels [directions][columns / kPanel][depth][kPanel].
  std::shared_ptr<float[]> pack(const Tensor& weights, int64_t depth) const {
    const auto size = static_cast<size_t>(s_.directions * columns() * depth);
    std::shared_ptr<float[]> packed = aligned_array<float>(size);
    std::fill_n(packed.get(), size, 0.0f);
    const float* from = weights.data<float>().data();
    for (int64_t d = 0; d < s_.directions; ++d)
      for (int64_t gate = 0; gate < kGates; ++gate)
        for (int64_t i = 0; i < s_.hidden; ++i) {
          const int64_t column = column_of(gate, i);
          float* to = packed.get() + (d * columns() + column / kPanel * kPanel) * depth + column % kPanel;
          for (int64_t k = 0; k < depth; ++k) to[k * kPanel] = *from++;
        }
    return packed;
  }

  /// Of the inputs' product and of the hidden values'.
  void add_biases(std::span<const float> biases) {
    for (int64_t d = 0; d < s_.directions; ++d)
      for (int64_t part = 0; part < 2; ++part)
        for (int64_t gate = 0; gate < kGates; ++gate)
          for (int64_t i = 0; i < s_.hidden; ++i)
            bias_[static_cast<size_t>(d * columns() + column_of(gate, i))] +=
                biases[static_cast<size_t>(((d * 2 + part) * kGates + gate) * s_.hidden + i)];
  }

  void begin(const RunContext& context, const Memory& memory) const {
    std::fill_n(memory.cells, s_.directions * s_.batch * cells(), 0.0f);
    const int64_t states = s_.directions * s_.batch;
    for (int64_t i = 0; i < states; ++i) {
      if (const float* c0 = context.input(6)) std::copy_n(c0 + i * s_.hidden, s_.hidden, memory.cells + i * cells());
    }
    if (const float* h0 = context.input(5)) {
      std::copy_n(h0, states * s_.hidden, memory.hidden[0]);
    } else {
      std::fill_n(memory.hidden[0], states * s_.hidden, 0.0f);
    }
  }

  void multiply_inputs(const RunContext& context, const Memory& memory) const {
    const int64_t rows = s_.steps * s_.batch, parts = (units_ + kTaskUnits - 1) / kTaskUnits;
    context.threads.parallel_for(s_.directions * parts, [&](int64_t task, int) {
      const int64_t d = task / parts, column = task % parts * kTaskUnits * kUnitColumns;
      micro_.f32.gemm({.a = context.input(0),
                       .lda = s_.inputs,
                       .a_step = 1,
                       .b = w_.get() + (d * columns() + column) * s_.inputs,
                       .b_panel = s_.inputs * kPanel,
                       .bias = bias_.data() + d * columns() + column,
                       .residual = nullptr,
                       .c = memory.sums + d * rows * columns() + column,
                       .ldc = columns(),
                       .m = static_cast<int>(rows),
                       .n = static_cast<int>(std::min(kTaskUnits * kUnitColumns, columns() - column)),
                       .k = static_cast<int>(s_.inputs),
                       .activation = Activation::kNone,
                       .a_packed = false});
    });
  }

  /// Step number i of some units' cells, for all images.
  void step(const RunContext& context, const Memory& memory, int64_t i, int64_t d, int64_t unit, float* gates) const {
    const int64_t t = reversed_ || d == 1 ? s_.steps - 1 - i : i;
    const int64_t units = std::min(kStepUnits, units_ - unit), width = units * kUnitColumns;
    micro_.f32.gemm({.a = memory.hidden[0] + d * s_.batch * s_.hidden,
                     .lda = s_.hidden,
                     .a_step = 1,
                     .b = r_.get() + (d * columns() + unit * kUnitColumns) * s_.hidden,
                     .b_panel = s_.hidden * kPanel,
                     .bias = no_bias_.data(),
                     .residual = nullptr,
                     .c = gates,
                     .ldc = width,
                     .partial = memory.sums + ((d * s_.steps + t) * s_.batch) * columns() + unit * kUnitColumns,
                     .ld_partial = columns(),
                     .m = static_cast<int>(s_.batch),
                     .n = static_cast<int>(width),
                     .k = static_cast<int>(s_.hidden),
                     .activation = Activation::kNone,
                     .a_packed = false});
    for (int64_t image = 0; image < s_.batch; ++image) {
      float* cell = memory.cells + (d * s_.batch + image) * cells();
      float* hidden = memory.hidden[1] + (d * s_.batch + image) * s_.hidden;
      for (int64_t k = unit; k < unit + units; ++k)
        micro_.lstm_cell(gates + image * width + (k - unit) * kUnitColumns, cell + k * kPanel, hidden + k * kPanel,
                         static_cast<int>(std::min<int64_t>(kPanel, s_.hidden - k * kPanel)));
      if (float* y = context.output()) {
        const int64_t first = unit * kPanel, count = std::min(units * kPanel, s_.hidden - first);
        std::copy_n(hidden + first, count, y + ((t * s_.directions + d) * s_.batch + image) * s_.hidden + first);
      }
    }
  }

  void end(const RunContext& context, const Memory& memory) const {
    const int64_t states = s_.directions * s_.batch;
    if (float* last = context.output(1)) std::copy_n(memory.hidden[0], states * s_.hidden, last);
    for (int64_t i = 0; i < states; ++i)
      if (float* last = context.output(2)) std::copy_n(memory.cells + i * cells(), s_.hidden, last + i * s_.hidden);
  }

  const MicroKernels& micro_;
  ops::RecurrentSizes s_;
  int64_t units_;
  bool reversed_;
  std::shared_ptr<float[]> w_, r_;
  std::vector<float> bias_, no_bias_;
};

}  // namespace

Plan plan_lstm(const PlanContext& c) {
  if (c.inputs[0].dtype != DType::kF32) return {nullptr, "only float32"};
  if (!ops::is_plain_recurrent(c.node)) return {nullptr, "only the operator's own functions, time outermost"};
  if (c.has(4) || c.has(7)) return {nullptr, "neither lengths of sequences nor peepholes"};
  for (size_t i = 1; i < 4; ++i)
    if (c.has(i) && c.inputs[i].constant == nullptr) return {nullptr, "only constant weights"};
  std::vector<ops::InputInfo> infos;
  for (const ValueInfo& input : c.inputs) infos.push_back({input.present, input.dtype, input.shape, input.constant});
  const ops::RecurrentSizes sizes = ops::recurrent_sizes({c.node, c.opset, infos});
  const auto fits = [](int64_t size) { return size >= 1 && size <= 1 << 20; };
  if (!fits(sizes.steps) || !fits(sizes.batch) || !fits(sizes.inputs) || !fits(sizes.hidden) ||
      !fits(sizes.steps * sizes.batch))
    return {nullptr, "no values, or more than an int counts"};
  const int64_t columns = (sizes.hidden + kPanel - 1) / kPanel * kUnitColumns;
  if (packs_too_large(sizes.directions * columns * sizes.inputs, c.inputs[1].constant->numel()))
    return {nullptr, "weights of mostly zeros"};
  const int64_t cells = sizes.directions * sizes.steps * sizes.batch;
  if (packs_too_large(cells * columns, cells * sizes.hidden * kGates)) return {nullptr, "sums of mostly zeros"};
  return {std::make_unique<Lstm>(c, sizes), ""};
}

}  // namespace effdet::kernels::cpu
