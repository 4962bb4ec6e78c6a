// Squeeze-excite's two small layers, and activations that nothing absorbed.
#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/micro_kernels.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/squeeze_excite.h"

namespace effdet::kernels::cpu {
namespace {

/// gate = gate_act(act(mean W1 + b1) W2 + b2), the columns of each layer shared among the threads.
class SqueezeExcite : public Kernel {
  using A = ops::SqueezeExciteAttributes;

 public:
  SqueezeExcite(const PlanContext& c, const A& a)
      : micro_(micro_kernels()),
        batch_(c.inputs[A::kMean].shape[0]),
        channels_(static_cast<int>(c.inputs[A::kMean].shape[1])),
        reduced_(static_cast<int>(c.inputs[A::kReduceWeights].shape[1])),
        activation_(a.activation),
        gate_(micro_, a.gate_activation) {
    if (!c.has(A::kReduceScale)) return;
    own_reduce_ = ops::dequantized_matrix(*c.inputs[A::kReduceWeights].constant, *c.inputs[A::kReduceScale].constant);
    own_expand_ = ops::dequantized_matrix(*c.inputs[A::kExpandWeights].constant, *c.inputs[A::kExpandScale].constant);
  }

  size_t scratch_bytes(int) const override { return static_cast<size_t>(reduced_) * sizeof(float); }

  void run(const RunContext& context) const override {
    float* reduced = context.scratch_floats();
    const bool own = !own_reduce_.empty();
    const float* reduce = own ? own_reduce_.data<float>().data() : context.input(A::kReduceWeights);
    const float* expand = own ? own_expand_.data<float>().data() : context.input(A::kExpandWeights);
    for (int64_t image = 0; image < batch_; ++image) {
      micro_.vector_matrix(context.input(A::kMean) + image * channels_, reduce, context.input(A::kReduceBias), reduced,
                           channels_, reduced_, activation_);
      float* gate = context.output() + image * channels_;
      micro_.vector_matrix(reduced, expand, context.input(A::kExpandBias), gate, reduced_, channels_,
                           gate_.activation());
      gate_.run(gate, 1, channels_, channels_);
    }
  }

 private:
  const MicroKernels& micro_;
  int64_t batch_;
  int channels_, reduced_;
  Activation activation_;
  Epilogue gate_;
  Tensor own_reduce_, own_expand_;  // of int8 weights
};

class Activate : public Kernel {
 public:
  explicit Activate(const PlanContext& c)
      : micro_(micro_kernels()), count_(shape_numel(c.inputs[0].shape)), activation_(ops::activation_of(c.node)) {}

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

}  // namespace

Plan plan_squeeze_excite(const PlanContext& c) {
  using A = ops::SqueezeExciteAttributes;
  const A a = A::of(c.node);
  if (auto refusal = refuse_epilogue(a.gate_activation); !refusal.empty()) return {nullptr, refusal};
  for (const size_t i : {A::kReduceWeights, A::kExpandWeights, A::kReduceScale, A::kExpandScale})
    if (c.has(A::kReduceScale) && c.inputs[i].constant == nullptr)
      return {nullptr, "int8 weights that are not constant"};
  return {std::make_unique<SqueezeExcite>(c, a), ""};
}

Plan plan_activation(const PlanContext& c) { return {std::make_unique<Activate>(c), ""}; }

}  // namespace effdet::kernels::cpu
