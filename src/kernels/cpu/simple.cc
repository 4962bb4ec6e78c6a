// Squeeze-excite's two small layers, activations that nothing absorbed, and layout changes.
#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"
#include "ops/fused.h"

namespace effdet::kernels::cpu {
namespace {

int64_t shape_numel(const Shape& shape) { return Tensor(DType::kF32, shape, nullptr).numel(); }

/// gate = gate_act(act(mean W1 + b1) W2 + b2), the columns of each layer shared among the threads.
class SqueezeExcite : public Kernel {
 public:
  explicit SqueezeExcite(const PlanContext& c)
      : micro_(micro_kernels()),
        batch_(c.inputs[0].shape[0]),
        channels_(static_cast<int>(c.inputs[0].shape[1])),
        reduced_(static_cast<int>(c.inputs[1].shape[1])),
        activation_(static_cast<Activation>(ops::activation_of(c.node))),
        gate_(static_cast<Activation>(ops::activation_of(c.node, "gate_activation"))) {}

  size_t scratch_bytes(int) const override { return static_cast<size_t>(reduced_) * sizeof(float); }

  void run(const RunContext& context) const override {
    float* reduced = context.scratch_floats();
    for (int64_t image = 0; image < batch_; ++image) {
      micro_.vector_matrix(context.input(0) + image * channels_, context.input(1), context.input(2), reduced, channels_,
                           reduced_, activation_);
      micro_.vector_matrix(reduced, context.input(3), context.input(4), context.output() + image * channels_, reduced_,
                           channels_, gate_);
    }
  }

 private:
  const MicroKernels& micro_;
  int64_t batch_;
  int channels_, reduced_;
  Activation activation_, gate_;
};

class Activate : public Kernel {
 public:
  explicit Activate(const PlanContext& c)
      : micro_(micro_kernels()),
        count_(shape_numel(c.inputs[0].shape)),
        activation_(static_cast<Activation>(ops::activation_of(c.node))) {}

  void run(const RunContext& context) const override {
    constexpr int64_t kChunk = 1 << 14;
    context.threads.parallel_for((count_ + kChunk - 1) / kChunk, [&](int64_t task, int) {
      const int64_t begin = task * kChunk;
      micro_.activate(context.input(0) + begin, context.output() + begin, std::min(kChunk, count_ - begin),
                      activation_);
    });
  }

 private:
  const MicroKernels& micro_;
  int64_t count_;
  Activation activation_;
};

/// NCHW to NHWC and back: a transposition of [rows][columns] for each image.
class Transpose : public Kernel {
 public:
  Transpose(int64_t batch, int64_t rows, int64_t columns)
      : micro_(micro_kernels()), batch_(batch), rows_(rows), columns_(columns) {}

  void run(const RunContext& context) const override {
    constexpr int64_t kRows = 64;
    const int64_t tasks = (rows_ + kRows - 1) / kRows;
    context.threads.parallel_for(batch_ * tasks, [&](int64_t task, int) {
      const int64_t image = task / tasks * rows_ * columns_, row = task % tasks * kRows;
      micro_.transpose(context.input(0) + image + row * columns_, columns_, context.output() + image + row, rows_,
                       static_cast<int>(std::min(kRows, rows_ - row)), static_cast<int>(columns_));
    });
  }

 private:
  const MicroKernels& micro_;
  int64_t batch_, rows_, columns_;
};

/// float32 to bfloat16 and back.
class Cast : public Kernel {
 public:
  explicit Cast(const PlanContext& c)
      : micro_(micro_kernels()), count_(shape_numel(c.inputs[0].shape)), narrows_(c.outputs[0].dtype == DType::kBF16) {}

  void run(const RunContext& context) const override {
    constexpr int64_t kChunk = 1 << 15;
    context.threads.parallel_for((count_ + kChunk - 1) / kChunk, [&](int64_t task, int) {
      const int64_t begin = task * kChunk, count = std::min(kChunk, count_ - begin);
      if (narrows_) {
        micro_.narrow(context.input(0) + begin, context.output<Bf16>() + begin, count);
      } else {
        micro_.widen(context.input<Bf16>(0) + begin, context.output() + begin, count);
      }
    });
  }

 private:
  const MicroKernels& micro_;
  int64_t count_;
  bool narrows_;
};

}  // namespace

Plan plan_cast(const PlanContext& c) {
  const DType from = c.inputs[0].dtype, to = c.outputs[0].dtype;
  if ((from == DType::kF32 && to == DType::kBF16) || (from == DType::kBF16 && to == DType::kF32))
    return {std::make_unique<Cast>(c), ""};
  return {nullptr, "only between float32 and bfloat16"};
}

Plan plan_squeeze_excite(const PlanContext& c) { return {std::make_unique<SqueezeExcite>(c), ""}; }

Plan plan_activation(const PlanContext& c) { return {std::make_unique<Activate>(c), ""}; }

Plan plan_transpose(const PlanContext& c) {
  const Shape& x = c.inputs[0].shape;
  if (c.inputs[0].dtype != DType::kF32 || x.size() != 4) return {nullptr, "only 4-d float32"};
  if (x[2] > ops::kMaxExtent || x[3] > ops::kMaxExtent || x[2] * x[3] > ops::kMaxExtent)
    return {nullptr, "more columns than an int counts"};
  const auto order = c.node.get_ints("perm", {});
  if (order == std::vector<int64_t>{0, 2, 3, 1}) return {std::make_unique<Transpose>(x[0], x[1], x[2] * x[3]), ""};
  if (order == std::vector<int64_t>{0, 3, 1, 2}) return {std::make_unique<Transpose>(x[0], x[1] * x[2], x[3]), ""};
  return {nullptr, "only between NCHW and NHWC"};
}

}  // namespace effdet::kernels::cpu
