// Depthwise convolution, with the mean of its output for squeeze-excite.
#include <algorithm>

#include "kernels/cpu/channel_sums.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/depthwise_weights.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/depthwise_conv.h"

namespace effdet::kernels::cpu {
namespace {

// Tasks an image: enough to share among many threads, few enough that rows at their borders are seldom read twice. A
// constant, because each task's sums are added up in order.
constexpr int64_t kDepthwiseTasks = 32;
constexpr int64_t kLeastRows = 4;

template <typename T>
class Depthwise : public Kernel {
  using A = ops::DepthwiseConvAttributes;

 public:
  Depthwise(const PlanContext& c, const A& a)
      : window_(a.window),
        weights_(micro_kernels(), window_, c.inputs[A::kWeights].constant),
        epilogue_(micro_kernels(), a.activation),
        in_(ops::dims_of(c.inputs[A::kX].shape, a.layout)),
        out_(ops::dims_of(c.outputs[0].shape, a.layout)),
        wants_mean_(c.outputs.size() > 1 && c.outputs[1].present),
        rows_(std::max(kLeastRows, (out_.height + kDepthwiseTasks - 1) / kDepthwiseTasks)),
        tasks_((out_.height + rows_ - 1) / rows_) {}

  size_t scratch_bytes(int) const override {
    return wants_mean_ ? static_cast<size_t>(in_.batch * tasks_ * in_.channels) * sizeof(float) : 0;
  }

  void run(const RunContext& context) const override {
    context.threads.parallel_for(in_.batch * tasks_, [&](int64_t task, int) {
      const int64_t image = task / tasks_, row = task % tasks_ * rows_;
      const int channels = static_cast<int>(in_.channels);
      float* sums = wants_mean_ ? context.scratch_floats() + task * in_.channels : nullptr;
      if (sums != nullptr) std::fill_n(sums, channels, 0.0f);
      DepthwiseRows<T> rows = depthwise_rows<T>(window_, in_, epilogue_.activation());
      rows.x = context.input<T>(A::kX) + image * in_.height * in_.width * in_.channels;
      rows.bias = context.input(A::kBias);
      rows.y = context.output<T>() + image * out_.height * out_.width * in_.channels;
      rows.sums = epilogue_.has_steps() ? nullptr : sums;
      rows.channels = rows.x_pixel = rows.weight_tap = rows.y_pixel = channels;
      rows.y_row = out_.width * in_.channels;
      set_rectangle(rows, row, std::min(row + rows_, out_.height), 0, out_.width);
      weights_.run(rows, context.input(A::kWeights), 0);
      if (!epilogue_.has_steps()) return;
      T* y = rows.y + row * rows.y_row;
      const int64_t pixels = (std::min(row + rows_, out_.height) - row) * out_.width;
      epilogue_.run(y, pixels, channels, channels);
      if (sums != nullptr) map_kernels<T>(micro_kernels()).fold_rows(y, pixels, channels, channels, sums, Fold::kSum);
    });
    if (!wants_mean_) return;
    for (int64_t image = 0; image < in_.batch; ++image)
      mean_of_sums(context.scratch_floats() + image * tasks_ * in_.channels, tasks_, in_.channels,
                   out_.height * out_.width, context.output(1) + image * in_.channels);
  }

 private:
  ops::Window2d window_;
  DepthwiseWeights<T> weights_;
  Epilogue epilogue_;
  ops::Dims in_, out_;
  bool wants_mean_;
  int64_t rows_, tasks_;
};

}  // namespace

Plan plan_depthwise(const PlanContext& c) {
  using A = ops::DepthwiseConvAttributes;
  const A a = A::of(c.node);
  if (c.has(A::kWeightScale)) return {nullptr, "int8 weights"};
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (auto refusal = refuse_epilogue(a.activation, a.layout); !refusal.empty()) return {nullptr, refusal};
  return plan_typed<Depthwise>(c, a);
}

}  // namespace effdet::kernels::cpu
