// Between floats and 8-bit codes, and tables of codes.
#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"
#include "ops/fused/quantization.h"

namespace effdet::kernels::cpu {
namespace {

/// A function of neighbouring values, called for parts of them in parallel.
template <typename From, typename To, typename F>
class ByElement : public Kernel {
 public:
  ByElement(const PlanContext& c, F function)
      : count_(Tensor(DType::kU8, c.inputs[0].shape, nullptr).numel()), function_(function) {}

  void run(const RunContext& context) const override {
    constexpr int64_t kPart = 1 << 15;
    context.threads.parallel_for((count_ + kPart - 1) / kPart, [&](int64_t task, int) {
      const int64_t first = task * kPart;
      function_(context, context.input<From>(0) + first, context.output<To>() + first, std::min(kPart, count_ - first));
    });
  }

 private:
  int64_t count_;
  F function_;
};

template <typename From, typename To, typename F>
Plan plan_by_element(const PlanContext& c, F function) {
  return {std::make_unique<ByElement<From, To, F>>(c, function), ""};
}

}  // namespace

Plan plan_quantize(const PlanContext& c) {
  const MicroKernels& micro = micro_kernels();
  const ops::Quantization y = ops::quantization_of(c.node, "y").value();
  if (c.inputs[0].dtype == DType::kF32)
    return plan_by_element<float, uint8_t>(
        c, [&micro, y](const RunContext&, const float* from, uint8_t* to, int64_t count) {
          micro.codes.quantize(from, to, count, y.scale, y.zero_point);
        });
  return plan_by_element<Bf16, uint8_t>(c,
                                        [&micro, y](const RunContext&, const Bf16* from, uint8_t* to, int64_t count) {
                                          micro.codes.quantize_bf16(from, to, count, y.scale, y.zero_point);
                                        });
}

Plan plan_dequantize(const PlanContext& c) {
  const MicroKernels& micro = micro_kernels();
  const ops::Quantization x = ops::quantization_of(c.node, "x").value();
  if (c.outputs[0].dtype == DType::kF32)
    return plan_by_element<uint8_t, float>(
        c, [&micro, x](const RunContext&, const uint8_t* from, float* to, int64_t count) {
          micro.codes.dequantize(from, to, count, x.scale, x.zero_point);
        });
  return plan_by_element<uint8_t, Bf16>(c,
                                        [&micro, x](const RunContext&, const uint8_t* from, Bf16* to, int64_t count) {
                                          micro.codes.dequantize_bf16(from, to, count, x.scale, x.zero_point);
                                        });
}

Plan plan_table(const PlanContext& c) {
  const MicroKernels& micro = micro_kernels();
  return plan_by_element<uint8_t, uint8_t>(
      c, [&micro](const RunContext& context, const uint8_t* from, uint8_t* to, int64_t count) {
        micro.codes.look_up(from, context.input<uint8_t>(1), to, count);
      });
}

}  // namespace effdet::kernels::cpu
