// LayerNormalization over the last axes, and RMSNormalization, which leaves out the mean.
#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"
#include "ops/util.h"

namespace effdet::kernels::cpu {
namespace {

// Values of a task.
constexpr int64_t kNormTaskValues = 1 << 13;

class LayerNorm : public Kernel {
 public:
  LayerNorm(int64_t lines, int64_t count, float epsilon, bool centred)
      : micro_(micro_kernels()), lines_(lines), count_(count), epsilon_(epsilon), centred_(centred) {}

  void run(const RunContext& context) const override {
    const int64_t step = std::max<int64_t>(1, kNormTaskValues / count_);
    context.threads.parallel_for((lines_ + step - 1) / step, [&](int64_t task, int) {
      for (int64_t line = task * step; line < std::min(lines_, (task + 1) * step); ++line)
        micro_.normalize_line(context.input(0) + line * count_, context.output() + line * count_, count_,
                              context.input(1), context.input(2), epsilon_, centred_);
    });
  }

 private:
  const MicroKernels& micro_;
  int64_t lines_, count_;
  float epsilon_;
  bool centred_;
};

}  // namespace

Plan plan_layer_norm(const PlanContext& c) {
  if (c.inputs[0].dtype != DType::kF32) return {nullptr, "only float32"};
  if (c.node.outputs.size() > 1) return {nullptr, "several outputs"};
  const Shape& x = c.inputs[0].shape;
  const auto axis =
      static_cast<size_t>(ops::normalize_axis(c.node, c.node.get_int("axis", -1), static_cast<int64_t>(x.size())));
  const int64_t lines = ops::dims_product(x, 0, axis), count = ops::dims_product(x, axis, x.size());
  if (lines == 0 || count == 0) return {nullptr, "no values"};
  for (size_t i = 1; i < 3; ++i)
    if (c.has(i) && (c.inputs[i].dtype != DType::kF32 ||
                     ops::dims_product(c.inputs[i].shape, 0, c.inputs[i].shape.size()) != count))
      return {nullptr, "only a scale and a bias for each value"};
  return {
      std::make_unique<LayerNorm>(lines, count, c.node.get_float("epsilon", 1e-5f), c.node.is("LayerNormalization")),
      ""};
}

}  // namespace effdet::kernels::cpu
