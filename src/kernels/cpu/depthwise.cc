// Depthwise convolution of floats, to floats or 8-bit codes, with the mean of its output for squeeze-excite.
#include <algorithm>

#include "kernels/cpu/channel_sums.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/depthwise_weights.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/requantization.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/depthwise_conv.h"

namespace effdet::kernels::cpu {
namespace {

// Tasks an image: enough to share among many threads, few enough that rows at their borders are seldom read twice. A
// constant, because each task's sums are added up in order.
constexpr int64_t kDepthwiseTasks = 32;
constexpr int64_t kLeastRows = 4;
// Rows of a task that rounds its sums to codes.
constexpr int64_t kRowsRounded = 4;

/// The scales of int8 weights; null for others.
const Tensor* scales_of(const PlanContext& c) {
  using A = ops::DepthwiseConvAttributes;
  return c.has(A::kWeightScale) ? c.inputs[A::kWeightScale].constant : nullptr;
}

/// What both kinds have: sums of products of floats.
template <typename T>
class DepthwiseProducts : public Kernel {
 protected:
  using A = ops::DepthwiseConvAttributes;

  DepthwiseProducts(const PlanContext& c, const A& a)
      : in_(ops::dims_of(c.inputs[A::kX].shape, a.layout)),
        out_(ops::dims_of(c.outputs[0].shape, a.layout)),
        wants_mean_(c.outputs.size() > 1 && c.outputs[1].present),
        line_(out_.width * out_.channels),
        window_(a.window),
        weights_(micro_kernels(), window_, c.inputs[A::kWeights].constant, scales_of(c)) {}

  /// Output rows [begin, end) of an image to where `y` has them, the image's first row. Adds each channel up in `sums`,
  /// where that is not null.
  void run_rows(const RunContext& context, int64_t image, int64_t begin, int64_t end, Activation activation, T* y,
                float* sums) const {
    DepthwiseRows<T> rows = depthwise_rows<T>(window_, in_, activation);
    rows.x = context.input<T>(A::kX) + image * in_.height * in_.width * in_.channels;
    rows.bias = context.input(A::kBias);
    rows.y = y;
    rows.sums = sums;
    rows.channels = rows.x_pixel = rows.weight_tap = rows.y_pixel = static_cast<int>(in_.channels);
    rows.y_row = line_;
    set_rectangle(rows, begin, end, 0, out_.width);
    weights_.run(rows, context.input(A::kWeights), 0);
  }

  ops::Dims in_, out_;
  bool wants_mean_;
  int64_t line_;  // values of an output row

 private:
  ops::Window2d window_;
  DepthwiseWeights<T> weights_;
};

template <typename T>
class Depthwise : public DepthwiseProducts<T> {
  using Base = DepthwiseProducts<T>;
  using Base::in_, Base::out_, Base::wants_mean_, Base::line_;
  using typename Base::A;

 public:
  Depthwise(const PlanContext& c, const A& a)
      : Base(c, a),
        epilogue_(micro_kernels(), a.activation),
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
      const int64_t end = std::min(row + rows_, out_.height), pixels = (end - row) * out_.width;
      T* y = context.output<T>() + image * out_.height * line_;
      this->run_rows(context, image, row, end, epilogue_.activation(), y, epilogue_.has_steps() ? nullptr : sums);
      if (!epilogue_.has_steps()) return;
      y += row * line_;
      epilogue_.run(y, pixels, channels, channels);
      if (sums != nullptr) map_kernels<T>(micro_kernels()).fold_rows(y, pixels, channels, channels, sums, Fold::kSum);
    });
    if (!wants_mean_) return;
    for (int64_t image = 0; image < in_.batch; ++image)
      mean_of_sums(context.scratch_floats() + image * tasks_ * in_.channels, tasks_, in_.channels,
                   out_.height * out_.width, context.output(1) + image * in_.channels);
  }

 private:
  Epilogue epilogue_;
  int64_t rows_, tasks_;
};

/// Rounds its sums to codes, a few rows at a time, which stay in the cache.
template <typename T>
class DepthwiseToCodes : public DepthwiseProducts<T> {
  using Base = DepthwiseProducts<T>;
  using Base::in_, Base::out_, Base::wants_mean_, Base::line_;
  using typename Base::A;

 public:
  DepthwiseToCodes(const PlanContext& c, const A& a) : Base(c, a), micro_(micro_kernels()), y_(*a.y) {
    const ops::Requantizer requantizer(a.activation.activation, y_);
    requantization_ = requantization(requantizer);
    factor_ = requantizer.multiplier(1);
  }

  size_t scratch_bytes(int threads) const override {
    return sums_bytes() + static_cast<size_t>(threads) * thread_bytes();
  }

  void run(const RunContext& context) const override {
    const int64_t tasks = tasks_of_image();
    context.threads.parallel_for(in_.batch * tasks, [&](int64_t task, int thread) {
      const int64_t image = task / tasks, row = task % tasks * kRows, end = std::min(row + kRows, out_.height);
      auto* floats =
          reinterpret_cast<float*>(context.scratch + sums_bytes() + static_cast<size_t>(thread) * thread_bytes());
      convolve(context, image, row, end, floats);
      uint8_t* codes = context.output<uint8_t>() + image * out_.height * line_ + row * line_;
      micro_.codes.requantize(floats, factor_, codes, (end - row) * line_, requantization_);
      if (!wants_mean_) return;
      uint32_t* sums = reinterpret_cast<uint32_t*>(context.scratch) + task * out_.channels;
      std::fill_n(sums, out_.channels, 0u);
      for (int64_t pixel = 0; pixel < (end - row) * out_.width; ++pixel, codes += out_.channels)
        for (int64_t channel = 0; channel < out_.channels; ++channel) sums[channel] += codes[channel];
    });
    for (int64_t i = 0; wants_mean_ && i < in_.batch * out_.channels; ++i) {
      const auto* sums = reinterpret_cast<const uint32_t*>(context.scratch) +
                         i / out_.channels * tasks * out_.channels + i % out_.channels;
      int64_t sum = 0;
      for (int64_t task = 0; task < tasks; ++task) sum += sums[task * out_.channels];
      context.output(1)[i] = mean_of_codes(sum, out_.height * out_.width, y_);
    }
  }

 private:
  int64_t tasks_of_image() const { return (out_.height + kRows - 1) / kRows; }
  size_t sums_bytes() const {
    const int64_t values = wants_mean_ ? in_.batch * tasks_of_image() * out_.channels : 0;
    return static_cast<size_t>(values + kLineValues) / kLineValues * kLineValues * sizeof(uint32_t);
  }
  /// Sums as floats, and before that as T.
  size_t thread_bytes() const {
    const auto values = static_cast<size_t>(kRows * line_ + kLineValues) / kLineValues * kLineValues;
    return values * (sizeof(float) + (sizeof(T) == sizeof(float) ? 0 : sizeof(T)));
  }

  void convolve(const RunContext& context, int64_t image, int64_t row, int64_t end, float* floats) const {
    T* sums = reinterpret_cast<T*>(floats);
    if constexpr (sizeof(T) != sizeof(float)) sums = reinterpret_cast<T*>(floats + kRows * line_);
    this->run_rows(context, image, row, end, Activation::kNone, sums - row * line_, nullptr);
    if constexpr (sizeof(T) != sizeof(float)) micro_.widen(sums, floats, (end - row) * line_);
  }

  static constexpr int64_t kRows = kRowsRounded;

  const MicroKernels& micro_;
  ops::Quantization y_;
  Requantization requantization_;
  float factor_;
};

}  // namespace

Plan plan_depthwise(const PlanContext& c) {
  using A = ops::DepthwiseConvAttributes;
  const A a = A::of(c.node);
  if (a.x) return {nullptr, "only floats"};
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  for (const size_t i : {A::kWeights, A::kWeightScale})
    if (c.has(A::kWeightScale) && c.inputs[i].constant == nullptr)
      return {nullptr, "int8 weights that are not constant"};
  if (a.y) {
    if (kRowsRounded * ops::dims_of(c.outputs[0].shape, a.layout).width > kMostSummedCodes)
      return {nullptr, "too wide for its sums"};
    if (c.inputs[A::kX].dtype == DType::kF32) return {std::make_unique<DepthwiseToCodes<float>>(c, a), ""};
    return {std::make_unique<DepthwiseToCodes<Bf16>>(c, a), ""};
  }
  if (auto refusal = refuse_epilogue(a.activation, a.layout); !refusal.empty()) return {nullptr, refusal};
  return plan_typed<Depthwise>(c, a);
}

}  // namespace effdet::kernels::cpu
