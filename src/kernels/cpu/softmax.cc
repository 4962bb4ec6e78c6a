// Softmax along any axis.
#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"
#include "ops/softmax.h"

namespace effdet::kernels::cpu {
namespace {

// Values of a task.
constexpr int64_t kSoftmaxTaskValues = 1 << 12;

class Softmax : public Kernel {
 public:
  explicit Softmax(const ops::AxisView& view) : micro_(micro_kernels()), view_(view) {}

  void run(const RunContext& context) const override {
    if (view_.inner == 1) {
      const int64_t lines = std::max<int64_t>(1, kSoftmaxTaskValues / view_.count);
      context.threads.parallel_for((view_.outer + lines - 1) / lines, [&](int64_t task, int) {
        for (int64_t line = task * lines; line < std::min(view_.outer, (task + 1) * lines); ++line)
          micro_.softmax_line(context.input(0) + line * view_.count, context.output() + line * view_.count,
                              view_.count);
      });
      return;
    }
    const int64_t columns = std::clamp<int64_t>(kSoftmaxTaskValues / view_.count, kPanel, view_.inner + kPanel);
    const int64_t parts = (view_.inner + columns - 1) / columns;
    context.threads.parallel_for(view_.outer * parts, [&](int64_t task, int) {
      const int64_t column = task % parts * columns, at = task / parts * view_.count * view_.inner + column;
      micro_.softmax_columns(context.input(0) + at, context.output() + at, view_.count, view_.inner,
                             std::min(columns, view_.inner - column));
    });
  }

 private:
  const MicroKernels& micro_;
  ops::AxisView view_;
};

}  // namespace

Plan plan_softmax(const PlanContext& c) {
  if (c.inputs[0].dtype != DType::kF32) return {nullptr, "only float32"};
  const ops::AxisView view = ops::softmax_view(c.node, c.opset, c.inputs[0].shape);
  if (view.outer == 0 || view.count == 0 || view.inner == 0) return {nullptr, "no values"};
  return {std::make_unique<Softmax>(view), ""};
}

}  // namespace effdet::kernels::cpu
