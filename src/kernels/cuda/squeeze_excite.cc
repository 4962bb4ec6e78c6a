// Squeeze-and-excite: two small dense layers over the means of a map.
#include "ops/fused/squeeze_excite.h"

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/step.h"

namespace effdet::kernels::cuda {
namespace {

class SqueezeExciteStep : public Step {
  using A = ops::SqueezeExciteAttributes;

 public:
  SqueezeExciteStep(const PlanContext& c, const A& a)
      : Step(c),
        rows_(c.inputs[A::kMean].shape[0]),
        channels_(c.inputs[A::kMean].shape[1]),
        reduced_(c.inputs[A::kReduceBias].shape[0]),
        activation_(a.activation),
        gate_activation_(a.gate_activation.activation) {}

  size_t scratch_bytes(int) const override { return static_cast<size_t>(rows_ * reduced_) * sizeof(float); }

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    auto* hidden = reinterpret_cast<float*>(context.scratch);
    dense(queue, {context.input(A::kMean), context.input(A::kReduceWeights), context.input(A::kReduceBias), hidden,
                  static_cast<int>(channels_), static_cast<int>(reduced_), activation_});
    dense(queue, {hidden, context.input(A::kExpandWeights), context.input(A::kExpandBias), context.output(),
                  static_cast<int>(reduced_), static_cast<int>(channels_), gate_activation_});
  }

 private:
  void dense(CudaQueue& queue, const DenseArgs& args) const {
    queue.launch<Dense>(rows_ * ((args.columns + Dense::kColumns - 1) / Dense::kColumns), Dense::kThreads,
                        Dense::kSharedBytes, args);
  }

  int64_t rows_, channels_, reduced_;
  Activation activation_, gate_activation_;
};

}  // namespace

Plan plan_squeeze_excite(const PlanContext& c) {
  using A = ops::SqueezeExciteAttributes;
  const A a = A::of(c.node);
  if (c.has(A::kReduceScale)) return {nullptr, "only floats"};
  if (!a.gate_activation.steps.empty()) return {nullptr, "steps after the activation"};
  return {std::make_unique<SqueezeExciteStep>(c, a), ""};
}

}  // namespace effdet::kernels::cuda
