// Convolutions of floats by int8 weights, which are stored small: they become floats when the layer is planned, and the
// kernels of floats do the rest.
#include <algorithm>
#include <array>
#include <cstddef>

#include "kernels/cpu/cpu.h"
#include "ops/fused/conv.h"
#include "ops/fused/packing.h"
#include "ops/fused/quantization.h"

namespace effdet::kernels::cpu {
namespace {

using ConvInput = ops::ConvAttributes;

/// The layer's weights times their scales, packed for maps of such a type.
Tensor float_weights(const PlanContext& c, const ops::ConvAttributes& a) {
  const int64_t channels = ops::dims_of(c.inputs[ConvInput::kX].shape, a.layouts.input).channels;
  const Tensor codes = ops::unpack_conv_weights(*c.inputs[ConvInput::kWeights].constant, a.group_channels(channels),
                                                a.out_channels, a.window.kernel_height, a.window.kernel_width);
  Tensor panels = ops::pack_conv_weights(ops::dequantized_weights(codes, *c.inputs[ConvInput::kWeightScale].constant));
  return c.inputs[ConvInput::kX].dtype == DType::kBF16 ? ops::pack_pairs(panels) : panels;
}

/// A kernel whose weights are others than the step's.
class WithWeights : public Kernel {
 public:
  WithWeights(Tensor weights, std::unique_ptr<Kernel> kernel)
      : weights_(std::move(weights)), kernel_(std::move(kernel)) {}

  size_t scratch_bytes(int threads) const override { return kernel_->scratch_bytes(threads); }

  void run(const RunContext& context) const override {
    std::array<const std::byte*, ConvInput::kWeightScale> inputs{};
    std::copy_n(context.inputs.begin(), std::min(inputs.size(), context.inputs.size()), inputs.begin());
    inputs[ConvInput::kWeights] = weights_.bytes().data();
    kernel_->run({.inputs = inputs,
                  .outputs = context.outputs,
                  .scratch = context.scratch,
                  .threads = context.threads,
                  .queue = context.queue});
  }

 private:
  Tensor weights_;
  std::unique_ptr<Kernel> kernel_;
};

}  // namespace

Plan plan_conv_of_int8_weights(const PlanContext& c) {
  if (!c.has(ConvInput::kWeightScale) || c.inputs[ConvInput::kX].dtype == DType::kU8)
    return {nullptr, "only floats by int8 weights"};
  for (const size_t i : {ConvInput::kWeights, ConvInput::kWeightScale})
    if (c.inputs[i].constant == nullptr) return {nullptr, "int8 weights that are not constant"};
  Tensor weights = float_weights(c, ops::ConvAttributes::of(c.node));
  std::vector<ValueInfo> inputs(c.inputs.begin(), c.inputs.begin() + ConvInput::kWeightScale);
  inputs[ConvInput::kWeights] = {weights.dtype(), weights.shape(), &weights};
  const PlanContext floats{c.node, c.opset, inputs, c.outputs};
  Plan plan = plan_winograd(floats);
  if (!plan.kernel) plan = plan_conv(floats);
  if (!plan.kernel) return plan;
  return {std::make_unique<WithWeights>(std::move(weights), std::move(plan.kernel)), ""};
}

}  // namespace effdet::kernels::cpu
