// NCHW maps channel by channel: their means, and products with a value for each. What squeeze-excite leaves where it is
// not fused, as behind depthwise convolutions of several sizes side by side (MixNet).
#include <algorithm>
#include <numeric>

#include "kernels/cpu/cpu.h"

namespace effdet::kernels::cpu {
namespace {

/// y[n, c] = mean of x[n, c].
class ChannelMeans : public Kernel {
 public:
  explicit ChannelMeans(const Shape& x) : planes_(x[0] * x[1]), pixels_(x[2] * x[3]) {}

  void run(const RunContext& context) const override {
    context.threads.parallel_for(planes_, [&](int64_t plane, int) {
      const double total = sum(context.input(0) + plane * pixels_);
      context.output()[plane] = static_cast<float>(total / static_cast<double>(pixels_));
    });
  }

 private:
  /// Sums of blocks, so that the error does not grow with the map.
  double sum(const float* x) const {
    constexpr int64_t kBlock = 1024;
    double total = 0;
    for (int64_t i = 0; i < pixels_; i += kBlock) total += block_sum(x + i, std::min(kBlock, pixels_ - i));
    return total;
  }

  /// By several sums side by side, which vectors hold.
  static float block_sum(const float* x, int64_t count) {
    constexpr int64_t kSums = 16;
    float sums[kSums] = {};
    int64_t i = 0;
    for (; i + kSums <= count; i += kSums)
      for (int64_t j = 0; j < kSums; ++j) sums[j] += x[i + j];
    for (; i < count; ++i) sums[i % kSums] += x[i];
    return std::accumulate(sums, sums + kSums, 0.0f);
  }

  int64_t planes_, pixels_;
};

/// y[n, c, h, w] = x[n, c, h, w] * gate[n, c], or gate[c] where images share it.
class ChannelScale : public Kernel {
 public:
  /// gate: the input that it is.
  ChannelScale(const Shape& x, int64_t gates, int gate)
      : planes_(x[0] * x[1]), pixels_(x[2] * x[3]), gates_(gates), gate_(gate) {}

  void run(const RunContext& context) const override {
    context.threads.parallel_for(planes_, [&](int64_t plane, int) {
      const float* x = context.input(1 - gate_) + plane * pixels_;
      const float gate = context.input(gate_)[plane % gates_];
      std::transform(x, x + pixels_, context.output() + plane * pixels_, [gate](float value) { return value * gate; });
    });
  }

 private:
  int64_t planes_, pixels_, gates_;
  int gate_;
};

bool is_gate(const Shape& gate, const Shape& map) {
  return gate.size() == 4 && (gate[0] == map[0] || gate[0] == 1) && gate[1] == map[1] && gate[2] == 1 && gate[3] == 1;
}

}  // namespace

Plan plan_channel_means(const PlanContext& c) {
  const Shape& x = c.inputs[0].shape;
  if (c.inputs[0].dtype != DType::kF32 || x.size() != 4) return {nullptr, "only 4-d float32"};
  if (c.outputs[0].shape != Shape{x[0], x[1], 1, 1}) return {nullptr, "only the mean over height and width"};
  return {std::make_unique<ChannelMeans>(x), ""};
}

Plan plan_channel_scale(const PlanContext& c) {
  const Shape& map = c.outputs[0].shape;
  if (c.inputs[0].dtype != DType::kF32 || map.size() != 4) return {nullptr, "only 4-d float32"};
  for (int gate = 1; gate >= 0; --gate) {
    const Shape& values = c.inputs[static_cast<size_t>(gate)].shape;
    if (c.inputs[static_cast<size_t>(1 - gate)].shape == map && is_gate(values, map))
      return {std::make_unique<ChannelScale>(map, values[0] * values[1], gate), ""};
  }
  return {nullptr, "only a map by a value for each channel"};
}

}  // namespace effdet::kernels::cpu
