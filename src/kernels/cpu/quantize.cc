// Between floats and 8-bit codes, and tables of codes.
#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/quantization.h"

namespace effdet::kernels::cpu {
namespace {

/// A function of neighbouring values, called for parts of them in parallel.
template <typename From, typename To, typename F>
class ByElement : public Kernel {
 public:
  ByElement(const PlanContext& c, F function) : count_(shape_numel(c.inputs[0].shape)), function_(function) {}

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

/// An instruction set's function from numbers to codes, or from codes to numbers.
template <typename From, typename To>
Plan plan_conversion(const PlanContext& c, void (*convert)(const From*, To*, int64_t, float, int32_t),
                     const ops::Quantization& codes) {
  return plan_by_element<From, To>(c, [convert, codes](const RunContext&, const From* from, To* to, int64_t count) {
    convert(from, to, count, codes.scale, codes.zero_point);
  });
}

}  // namespace

Plan plan_quantize(const PlanContext& c) {
  const auto& codes = micro_kernels().codes;
  const ops::Quantization y = ops::quantization_of(c.node, "y").value();
  return c.inputs[0].dtype == DType::kF32 ? plan_conversion(c, codes.quantize, y)
                                          : plan_conversion(c, codes.quantize_bf16, y);
}

Plan plan_dequantize(const PlanContext& c) {
  const auto& codes = micro_kernels().codes;
  const ops::Quantization x = ops::quantization_of(c.node, "x").value();
  return c.outputs[0].dtype == DType::kF32 ? plan_conversion(c, codes.dequantize, x)
                                           : plan_conversion(c, codes.dequantize_bf16, x);
}

Plan plan_table(const PlanContext& c) {
  const MicroKernels& micro = micro_kernels();
  return plan_by_element<uint8_t, uint8_t>(
      c, [&micro](const RunContext& context, const uint8_t* from, uint8_t* to, int64_t count) {
        micro.codes.look_up(from, context.input<uint8_t>(1), to, count);
      });
}

}  // namespace effdet::kernels::cpu
