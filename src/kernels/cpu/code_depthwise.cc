// Depthwise convolution of 8-bit codes by int8 weights, with the mean of its output for squeeze-excite.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/channel_sums.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/requantization.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/depthwise_conv.h"

namespace effdet::kernels::cpu {
namespace {

using CodesAttributes = ops::DepthwiseConvAttributes;

// Tasks an image, as cpu/depthwise.cc has them; rows of a task are even, as many are computed together.
constexpr int64_t kCodesTasks = 32, kLeastCodesRows = 4;

/// The vectors of channels that micro-kernels take.
struct CodeVectors {
  CodeVectors(const CodeTaps& taps, int64_t channels, bool shared) : lanes(taps.lanes) {
    const int64_t unit = 4 * lanes, rest = channels % unit;
    wide = static_cast<int>(channels / unit);
    if (shared && taps.has_narrow && rest <= 2 * lanes) {
      narrow = static_cast<int>((rest + lanes - 1) / lanes);
    } else if (rest > 0) {
      ++wide;
    }
  }
  int count() const { return 4 * wide + narrow; }
  /// The channel of a lane; there may be no such channel.
  int64_t channel(int vector, int lane) const {
    if (vector >= 4 * wide) return int64_t{4} * wide * lanes + int64_t{vector - 4 * wide} * lanes + lane;
    return int64_t{vector / 4} * 4 * lanes + lane / 4 * 16 + vector % 4 * 4 + lane % 4;
  }

  int lanes, wide, narrow = 0;
};

/// A layer's constants as micro-kernels take them (DepthwiseCodes).
class PackedCodes {
 public:
  PackedCodes(const PlanContext& c, const CodesAttributes& a, const CodeTaps& taps, bool shared)
      : window_(a.window),
        taps_(taps),
        channels_(c.inputs[CodesAttributes::kWeights].shape[2]),
        vectors_(taps, channels_, shared),
        together_(shared ? rows_together(window_.kernel_height, window_.stride_y) : 1),
        codes_(c.inputs[CodesAttributes::kWeights].constant->data<int8_t>()),
        values_(static_cast<size_t>(vectors_.count() * vectors_.lanes)) {
    const auto bias = c.inputs[CodesAttributes::kBias].constant->data<int32_t>();
    const auto scales = c.inputs[CodesAttributes::kWeightScale].constant->data<float>();
    const std::optional<ops::Requantizer> requantizer =
        a.y ? std::optional<ops::Requantizer>(std::in_place, a.activation.activation, *a.y) : std::nullopt;
    start_ = aligned_array<int32_t>(values_);
    multiplier_ = aligned_array<float>(values_);
    std::fill_n(start_.get(), values_, 0);
    std::fill_n(multiplier_.get(), values_, 0.0f);
    for_lanes([&](size_t at, int64_t channel) {
      uint32_t sum = 0;
      double magnitude = 0;
      for (int64_t tap = 0; tap < window_.taps(); ++tap) {
        const int32_t weight = codes_[static_cast<size_t>(tap * channels_ + channel)];
        sum += static_cast<uint32_t>(weight);
        magnitude += std::abs(weight);
      }
      const auto i = static_cast<size_t>(channel);
      const float scale = a.x->scale * scales[i];
      start_[at] = static_cast<int32_t>(static_cast<uint32_t>(bias[i]) - static_cast<uint32_t>(a.x->zero_point) * sum);
      multiplier_[at] = requantizer ? requantizer->multiplier(scale) : scale;
      const double sum_at_most = std::abs(static_cast<double>(bias[i])) + 255 * magnitude;
      fits_ = fits_ && (!requantizer || requantizer->fits(sum_at_most * std::abs(multiplier_[at])));
    });
    taps.taps == 4 ? pack<int8_t>() : pack<int16_t>();
    codes_ = {};
  }

  /// Whether all sums are numbers that kernels can round.
  bool fits() const { return fits_; }
  size_t values() const { return values_; }

  void set(DepthwiseCodes& d) const {
    d.weights = weights_.get();
    d.start = start_.get();
    d.multiplier = multiplier_.get();
    d.wide = vectors_.wide;
    d.narrow = vectors_.narrow;
  }

  /// Calls f(place, channel) for every channel's place among values by vectors.
  template <typename F>
  void for_lanes(F&& f) const {
    for (int vector = 0; vector < vectors_.count(); ++vector)
      for (int lane = 0; lane < vectors_.lanes; ++lane)
        if (const int64_t channel = vectors_.channel(vector, lane); channel < channels_)
          f(static_cast<size_t>(vector * vectors_.lanes + lane), channel);
  }

 private:
  template <typename Weight>
  void pack() {
    const int groups = tap_groups(window_.kernel_height, window_.stride_y, together_, taps_.taps);
    const int64_t tap = int64_t{vectors_.lanes} * taps_.taps,
                  vector_size = groups * together_ * window_.kernel_width * tap;
    const auto size = static_cast<size_t>(vectors_.count() * vector_size);
    weights_ = aligned_array<int32_t>(size * sizeof(Weight) / sizeof(int32_t));
    Weight* packed = reinterpret_cast<Weight*>(weights_.get());
    std::fill_n(packed, size, Weight{0});
    for_lanes([&](size_t at, int64_t channel) {
      const auto vector = static_cast<int64_t>(at) / vectors_.lanes, lane = static_cast<int64_t>(at) % vectors_.lanes;
      for (int j = 0; j < together_; ++j)
        for (int ky = 0; ky < window_.kernel_height; ++ky)
          for (int kx = 0; kx < window_.kernel_width; ++kx) {
            const int row = ky + j * window_.stride_y, group = row / taps_.taps;
            const int64_t place = (int64_t{group} * together_ + j) * window_.kernel_width + kx;
            packed[vector * vector_size + place * tap + lane * taps_.taps + row % taps_.taps] =
                codes_[static_cast<size_t>((int64_t{ky} * window_.kernel_width + kx) * channels_ + channel)];
          }
    });
  }

  ops::Window2d window_;
  CodeTaps taps_;
  int64_t channels_;
  CodeVectors vectors_;
  int together_;  // output rows
  std::span<const int8_t> codes_;
  size_t values_;
  bool fits_ = true;
  std::shared_ptr<int32_t[]> weights_, start_;
  std::shared_ptr<float[]> multiplier_;
};

bool has_shared_window(const ops::Window2d& w) {
  return is_shared_window(w.kernel_height, w.kernel_width, w.stride_y, w.stride_x);
}

template <typename Out>
class CodesDepthwise : public Kernel {
 public:
  CodesDepthwise(const PlanContext& c, const CodesAttributes& a, PackedCodes packed)
      : micro_(micro_kernels()),
        x_(*a.x),
        y_(a.y.value_or(ops::Quantization{})),
        in_(ops::dims_of(c.inputs[CodesAttributes::kX].shape, a.layout)),
        out_(ops::dims_of(c.outputs[0].shape, a.layout)),
        wants_mean_(c.outputs.size() > 1 && c.outputs[1].present),
        rows_(rows_of_task(out_)),
        tasks_((out_.height + rows_ - 1) / rows_),
        packed_(std::move(packed)) {
    if constexpr (kRounds) requantization_ = requantization(ops::Requantizer(a.activation.activation, y_));
    d_.activation = a.activation.activation;
    d_.in_height = static_cast<int>(in_.height);
    d_.in_width = static_cast<int>(in_.width);
    d_.out_width = static_cast<int>(out_.width);
    d_.channels = static_cast<int>(in_.channels);
    d_.kernel_height = a.window.kernel_height;
    d_.kernel_width = a.window.kernel_width;
    d_.stride_y = a.window.stride_y;
    d_.stride_x = a.window.stride_x;
    d_.pad_top = a.window.pad_top;
    d_.pad_left = a.window.pad_left;
    d_.zero_point = x_.zero_point;
    packed_.set(d_);
  }

  static int64_t rows_of_task(const ops::Dims& out) {
    return std::max(kLeastCodesRows, (out.height + kCodesTasks - 1) / kCodesTasks + 1) / 2 * 2;
  }

  size_t scratch_bytes(int) const override {
    return wants_mean_ ? static_cast<size_t>(in_.batch * tasks_) * packed_.values() * sizeof(uint32_t) : 0;
  }

  void run(const RunContext& context) const override {
    context.threads.parallel_for(in_.batch * tasks_, [&](int64_t task, int) {
      const int64_t image = task / tasks_, row = task % tasks_ * rows_, end = std::min(row + rows_, out_.height);
      const int64_t map = out_.height * out_.width * out_.channels;
      uint32_t* sums = wants_mean_ ? sums_of(context, task) : nullptr;
      if (wants_mean_) std::fill_n(sums, packed_.values(), 0u);
      DepthwiseCodes d = d_;
      d.x = context.input<uint8_t>(CodesAttributes::kX) + image * in_.height * in_.width * in_.channels;
      d.y = context.output<Out>() + image * map;
      d.sums = kRounds ? sums : nullptr;
      d.requantization = &requantization_;
      d.row_begin = static_cast<int>(row);
      d.row_end = static_cast<int>(end);
      if constexpr (kRounds) {
        micro_.code_depthwise->to_codes(d);
      } else {
        sizeof(Out) == sizeof(float) ? micro_.code_depthwise->to_floats(d) : micro_.code_depthwise->to_bf16(d);
        if (wants_mean_)
          map_kernels<Out>(micro_).fold_rows(context.output<Out>() + image * map + row * out_.width * out_.channels,
                                             (end - row) * out_.width, out_.channels, out_.channels,
                                             reinterpret_cast<float*>(sums), Fold::kSum);
      }
    });
    for (int64_t image = 0; wants_mean_ && image < in_.batch; ++image)
      write_mean(context, image * tasks_, context.output(1) + image * in_.channels);
  }

 private:
  static constexpr bool kRounds = sizeof(Out) == 1;

  uint32_t* sums_of(const RunContext& context, int64_t task) const {
    return reinterpret_cast<uint32_t*>(context.scratch) + static_cast<size_t>(task) * packed_.values();
  }

  /// From the sums of an image's tasks, in their order.
  void write_mean(const RunContext& context, int64_t first, float* mean) const {
    const int64_t pixels = out_.height * out_.width;
    if constexpr (!kRounds) {
      const auto* sums = reinterpret_cast<const float*>(sums_of(context, first));
      for (int64_t channel = 0; channel < in_.channels; ++channel) {
        double sum = 0;
        for (int64_t task = 0; task < tasks_; ++task)
          sum += static_cast<double>(sums[static_cast<size_t>(task) * packed_.values() + static_cast<size_t>(channel)]);
        mean[channel] = static_cast<float>(sum / static_cast<double>(pixels));
      }
    } else {
      packed_.for_lanes([&](size_t at, int64_t channel) {
        int64_t sum = 0;
        for (int64_t task = 0; task < tasks_; ++task) sum += sums_of(context, first + task)[at];
        mean[channel] = mean_of_codes(sum, pixels, y_);
      });
    }
  }

  const MicroKernels& micro_;
  ops::Quantization x_, y_;
  ops::Dims in_, out_;
  bool wants_mean_;
  int64_t rows_, tasks_;
  PackedCodes packed_;
  Requantization requantization_{};
  DepthwiseCodes d_{};
};

template <typename Out>
Plan make_depthwise(const PlanContext& c, const CodesAttributes& a, PackedCodes packed) {
  return {std::make_unique<CodesDepthwise<Out>>(c, a, std::move(packed)), ""};
}

}  // namespace

Plan plan_depthwise_codes(const PlanContext& c) {
  const auto a = CodesAttributes::of(c.node);
  if (c.inputs[CodesAttributes::kX].dtype != DType::kU8) return {nullptr, "only uint8"};
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (!a.activation.steps.empty()) return {nullptr, "no elementwise steps"};
  for (const size_t i : {CodesAttributes::kWeights, CodesAttributes::kBias, CodesAttributes::kWeightScale})
    if (c.inputs[i].constant == nullptr) return {nullptr, "weights that are not constant"};
  const ops::Dims out = ops::dims_of(c.outputs[0].shape, a.layout);
  if (CodesDepthwise<uint8_t>::rows_of_task(out) * out.width > kMostSummedCodes)
    return {nullptr, "too wide for its sums"};
  PackedCodes packed(c, a, micro_kernels().code_depthwise->taps, has_shared_window(a.window));
  if (!packed.fits()) return {nullptr, "sums beyond 32 bits"};
  switch (c.outputs[0].dtype) {
    case DType::kU8:
      return make_depthwise<uint8_t>(c, a, std::move(packed));
    case DType::kF32:
      return make_depthwise<float>(c, a, std::move(packed));
    default:
      return make_depthwise<Bf16>(c, a, std::move(packed));
  }
}

}  // namespace effdet::kernels::cpu
