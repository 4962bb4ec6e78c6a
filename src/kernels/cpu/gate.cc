// A map times factors of its channels: squeeze-excite's product, on 8-bit codes and on floats.
#include <algorithm>
#include <numeric>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/gate.h"

namespace effdet::kernels::cpu {
namespace {

constexpr int64_t kGateTaskBytes = 64 << 10;

template <typename T>
class Gate : public Kernel {
  using A = ops::GateAttributes;

 public:
  Gate(const PlanContext& c, const A& a)
      : micro_(map_kernels<T>(micro_kernels())), dims_(ops::dims_of(c.inputs[A::kX].shape, a.layout)) {}

  void run(const RunContext& context) const override {
    const int64_t pixels = dims_.height * dims_.width;
    const int64_t step = std::max<int64_t>(1, kGateTaskBytes / static_cast<int64_t>(sizeof(T)) / dims_.channels);
    const int64_t tasks = (pixels + step - 1) / step;
    context.threads.parallel_for(dims_.batch * tasks, [&](int64_t task, int) {
      const int64_t image = task / tasks, first = task % tasks * step;
      const int64_t at = (image * pixels + first) * dims_.channels;
      micro_.gate(context.input<T>(A::kX) + at, context.input(A::kGate) + image * dims_.channels,
                  context.output<T>() + at, std::min(step, pixels - first), static_cast<int>(dims_.channels));
    });
  }

 private:
  const MapKernels<T>& micro_;
  ops::Dims dims_;
};

/// The channels' factors, in fixed point, are repeated until they are whole units of the micro-kernel, where that does
/// not take too many.
class CodesGate : public Kernel {
  using A = ops::GateAttributes;

 public:
  CodesGate(const PlanContext& c, const A& a)
      : micro_(micro_kernels()),
        codes_(*a.x, *a.y),
        dims_(ops::dims_of(c.inputs[A::kX].shape, a.layout)),
        unit_(4 * micro_.code_depthwise->taps.lanes) {
    constexpr int64_t kMostFactors = 1 << 13;
    const int64_t whole = std::lcm(dims_.channels, unit_);
    period_ = whole <= kMostFactors ? whole : dims_.channels;
    factors_ = (period_ + unit_ - 1) / unit_ * unit_;
  }

  size_t scratch_bytes(int) const override { return static_cast<size_t>(dims_.batch * factors_) * sizeof(int16_t); }

  void run(const RunContext& context) const override {
    auto* factors = reinterpret_cast<int16_t*>(context.scratch);
    for (int64_t image = 0; image < dims_.batch; ++image)
      fill(context.input(A::kGate) + image * dims_.channels, factors + image * factors_);
    const int64_t map = dims_.height * dims_.width * dims_.channels;
    const int64_t step = std::max<int64_t>(1, kGateTaskBytes / period_) * period_, tasks = (map + step - 1) / step;
    const int shift = codes_.shift();
    context.threads.parallel_for(dims_.batch * tasks, [&](int64_t task, int) {
      const int64_t image = task / tasks, first = task % tasks * step;
      micro_.codes.gate(
          {.x = context.input<uint8_t>(A::kX) + image * map + first,
           .y = context.output<uint8_t>() + image * map + first,
           .count = std::min(step, map - first),
           .factors = factors + image * factors_,
           .period = period_,
           .x_zero_point = static_cast<int16_t>(codes_.x_zero_point()),
           .added = static_cast<int16_t>((codes_.y_zero_point() << shift) + (shift > 0 ? 1 << (shift - 1) : 0)),
           .shift = shift});
    });
  }

 private:
  void fill(const float* gate, int16_t* factors) const {
    std::fill_n(factors, factors_, int16_t{0});
    for (int64_t channel = 0; channel < dims_.channels; ++channel) {
      const int16_t factor = codes_.factor(gate[channel]);
      for (int64_t i = channel; i < period_; i += dims_.channels)
        factors[i / unit_ * unit_ + half_place(static_cast<int>(i % unit_), micro_.code_depthwise->taps.lanes)] =
            factor;
    }
  }

  const MicroKernels& micro_;
  ops::GateCodes codes_;
  ops::Dims dims_;
  int64_t unit_, period_, factors_;
};

}  // namespace

Plan plan_gate(const PlanContext& c) {
  const auto a = ops::GateAttributes::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (a.x) return {std::make_unique<CodesGate>(c, a), ""};
  return plan_typed<Gate>(c, a);
}

}  // namespace effdet::kernels::cpu
