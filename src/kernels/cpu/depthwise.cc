// Depthwise convolution, with the mean of its output for squeeze-excite.
#include <algorithm>

#include "kernels/cpu/channel_sums.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/depthwise_weights.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/typed.h"
#include "ops/fused.h"

namespace effdet::kernels::cpu {
namespace {

// Tasks an image: enough to share among many threads, few enough that rows at their borders are seldom read twice. A
// constant, because each task's sums are added up in order.
constexpr int64_t kDepthwiseTasks = 32;
constexpr int64_t kLeastRows = 4;

template <typename T>
class Depthwise : public Kernel {
 public:
  explicit Depthwise(const PlanContext& c)
      : window_(ops::window_2d(c.node)),
        weights_(micro_kernels(), window_, c.inputs[1].constant),
        epilogue_(micro_kernels(), c.node),
        in_(ops::dims_of(c.inputs[0].shape, true)),
        out_(ops::dims_of(c.outputs[0].shape, true)),
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
      rows.x = context.input<T>(0) + image * in_.height * in_.width * in_.channels;
      rows.bias = context.input(2);
      rows.y = context.output<T>() + image * out_.height * out_.width * in_.channels;
      rows.sums = epilogue_.has_steps() ? nullptr : sums;
      rows.channels = rows.x_pixel = rows.weight_tap = rows.y_pixel = channels;
      rows.y_row = out_.width * in_.channels;
      set_rectangle(rows, row, std::min(row + rows_, out_.height), 0, out_.width);
      weights_.run(rows, context.input(1), 0);
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
  if (!ops::is_nhwc(c.node)) return {nullptr, "only NHWC"};
  if (auto refusal = refuse_epilogue(c); !refusal.empty()) return {nullptr, refusal};
  return plan_typed<Depthwise>(c);
}

}  // namespace effdet::kernels::cpu
