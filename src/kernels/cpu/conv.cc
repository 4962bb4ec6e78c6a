// Convolution as matrix multiplication. Pointwise layers multiply the activation as it lies; others gather a few rows
// of windows at a time. Groups follow each other. A squeeze-excite gate goes into a copy of the weights, which are
// fewer than the pixels. Where the output is 8-bit codes, each task rounds its sums, which stay in the cache.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/conv_tasks.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/pixel_product.h"
#include "kernels/cpu/requantization.h"
#include "kernels/cpu/typed.h"
#include "kernels/cpu/window_gather.h"
#include "ops/fused/conv.h"

namespace effdet::kernels::cpu {
namespace {

int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

template <typename In, typename Out>
class Conv : public Kernel {
  using A = ops::ConvAttributes;
  static constexpr bool kToCodes = std::is_same_v<Out, uint8_t>;
  using Sum = std::conditional_t<kToCodes, float, Out>;

 public:
  Conv(const PlanContext& c, const A& a)
      : micro_(micro_kernels()),
        window_(a.window),
        nchw_output_(a.layouts.output != ir::Layout::kNhwc),
        gated_(c.has(A::kGate)),
        in_(ops::dims_of(c.inputs[A::kX].shape, a.layouts.input)),
        out_(ops::dims_of(c.outputs[0].shape, a.layouts.output)),
        group_in_(a.group_channels(in_.channels)),
        group_out_(out_.channels / a.group),
        k_(a.depth(in_.channels)),
        pixels_(out_.height * out_.width),
        gather_(window_, in_, out_, a.layouts.input, group_in_),
        epilogue_(micro_, a.activation),
        // Pixels differ between groups of output channels: no scheme goes over them.
        product_(micro_, k_, out_, a.layouts.output, kToCodes ? Activation::kNone : a.activation.activation,
                 a.group == 1 ? a.products : ops::Products::kDirect),
        gathers_(a.layouts.input != ir::Layout::kNhwc || !(has_unit_window() || lies_in_lines())),
        tasks_({.pixels = pixels_,
                .channels = out_.channels,
                .depth = k_,
                .value_bytes = sizeof(In),
                .columns_first = nchw_output_,
                .overlap = !gathers_ && pixel_stride() < k_ ? pixel_stride() : 0,
                .row_step = product_.row_step(),
                .column_step = product_.column_step(),
                .any_rows = product_.takes_any_rows(),
                .least_work = product_.least_work()}) {
    if constexpr (kToCodes) choose_rounding(a);
  }

  size_t scratch_bytes(int threads) const override {
    return (step_values() + thread_values() * static_cast<size_t>(threads)) * sizeof(In);
  }

  void run(const RunContext& context) const override {
    if (!gated_) product_.prepare(context.threads, context.input<In>(A::kWeights), prepared(context));
    for (int64_t image = 0; image < in_.batch; ++image) run_image(context, image);
  }

 private:
  bool has_unit_window() const {
    return window_.kernel_height == 1 && window_.kernel_width == 1 && window_.stride_x == 1 && window_.stride_y == 1;
  }
  /// Whether the values under each window lie side by side, and the windows evenly: those of a sequence, which is a map
  /// of one row or one column, without padding and groups.
  bool lies_in_lines() const {
    const ops::Window2d& w = window_;
    const bool padded = w.pad_top != 0 || w.pad_left != 0 || w.pad_bottom != 0 || w.pad_right != 0;
    return !padded && group_in_ == in_.channels &&
           (w.kernel_width == in_.width || (in_.height == 1 && w.kernel_height == 1));
  }
  /// Values between the windows of neighbouring pixels, where nothing is gathered.
  int64_t pixel_stride() const {
    return in_.channels * (out_.width == 1 ? window_.stride_y * in_.width : window_.stride_x);
  }

  void choose_rounding(const A& a) {
    const ops::Requantizer requantizer(a.activation.activation, *a.y);
    requantization_ = requantization(requantizer);
    factor_ = requantizer.multiplier(1);
    if (a.residual) residual_ = *a.residual;
  }

  int64_t panels() const { return (out_.channels + kPanel - 1) / kPanel; }
  size_t gate_values() const { return gated_ ? static_cast<size_t>(panels() * padded_depth<In>(k_) * kPanel) : 0; }
  /// What all threads share: gated weights, and what the product prepares.
  size_t step_values() const { return gate_values() + product_.prepared_values(); }
  In* prepared(const RunContext& context) const { return reinterpret_cast<In*>(context.scratch) + gate_values(); }
  size_t gather_values() const {
    return gathers_ ? static_cast<size_t>(round_up(tasks_.most_rows() * k_, kLineValues)) : 0;
  }
  size_t product_values() const { return product_.scratch_values(tasks_.most_rows()); }
  /// Values of type In that the sums of a task take before they are rounded.
  size_t sum_values() const {
    constexpr int64_t kValues = sizeof(Sum) / sizeof(In);
    return kToCodes ? static_cast<size_t>(round_up(tasks_.most_rows() * out_.channels * kValues, kLineValues)) : 0;
  }
  size_t thread_values() const { return gather_values() + product_values() + sum_values(); }

  void run_image(const RunContext& context, int64_t image) const {
    const In* weights = context.input<In>(A::kWeights);
    if (gated_) {
      weights = gate_weights(context, image);
      product_.prepare(context.threads, weights, prepared(context));
    }
    context.threads.parallel_for(tasks_.count(), [&](int64_t task, int thread) {
      multiply(context, image, weights, tasks_.task(task), thread);
    });
  }

  const In* gate_weights(const RunContext& context, int64_t image) const {
    const float* gate = context.input(A::kGate) + image * in_.channels;
    In* scaled = reinterpret_cast<In*>(context.scratch);
    context.threads.parallel_for(panels(), [&](int64_t panel, int) {
      const int64_t at = panel * padded_depth<In>(k_) * kPanel;
      map_kernels<In>(micro_).scale_panel(context.input<In>(A::kWeights) + at, gate, scaled + at, static_cast<int>(k_));
    });
    return scaled;
  }

  void multiply(const RunContext& context, int64_t image, const In* weights, const ConvTasks::Task& task,
                int thread) const {
    const auto [row, rows, first_column, columns] = task;
    In* scratch =
        reinterpret_cast<In*>(context.scratch) + step_values() + thread_values() * static_cast<size_t>(thread);
    const In* x = context.input<In>(A::kX) + image * in_.channels * in_.height * in_.width;
    const int64_t map = image * pixels_ * out_.channels;
    for (int64_t column = first_column, end = column + columns, next; column < end; column = next) {
      const int64_t group = column / group_out_;
      next = std::min(end, (group + 1) * group_out_);
      const In* from = x + group * group_in_;
      const Pixels<In> pixels = gathers_ ? gather_.gather(from, row, rows, scratch)
                                         : Pixels<In>{from + row * pixel_stride(), pixel_stride(), 1};
      write(context, pixels, map, weights, {row, rows, column, next - column}, scratch + gather_values());
    }
  }

  /// The part of the output, whose image begins at value `map`, that pixels and weights make.
  void write(const RunContext& context, const Pixels<In>& pixels, int64_t map, const In* weights,
             const ConvTasks::Task& part, In* scratch) const {
    const auto [row, rows, column, columns] = part;
    Out* output = context.output<Out>() + map;
    const Out* residual = context.input<Out>(A::kResidual);
    if (residual != nullptr) residual += map;
    typename PixelProduct<In, Sum>::Maps maps{.weights = weights,
                                              .bias = context.input(A::kBias),
                                              .residual = nullptr,
                                              .output = nullptr,
                                              .prepared = prepared(context)};
    const int64_t at = row * out_.channels + column;
    if constexpr (kToCodes) {
      maps.output = reinterpret_cast<float*>(scratch + product_values());
      product_.run(pixels, 0, rows, column, columns, maps, scratch);
      const bool whole = columns == out_.channels;  // the rows lie side by side
      const int64_t lines = whole ? 1 : rows, values = whole ? rows * columns : columns;
      for (int64_t i = 0; i < lines; ++i)
        round(maps.output + i * out_.channels + column, values,
              residual != nullptr ? residual + at + i * out_.channels : nullptr, output + at + i * out_.channels);
    } else {
      maps.residual = residual;
      maps.output = output;
      product_.run(pixels, row, rows, column, columns, maps, scratch);
      epilogue_.run(output + at, rows, columns, out_.channels);
    }
  }

  void round(float* sums, int64_t count, const uint8_t* residual, uint8_t* codes) const {
    if (residual != nullptr)
      for (int64_t i = 0; i < count; ++i) sums[i] += residual_.number(residual[i]);
    micro_.codes.requantize(sums, factor_, codes, count, requantization_);
  }

  const MicroKernels& micro_;
  ops::Window2d window_;
  bool nchw_output_, gated_;
  ops::Dims in_, out_;
  int64_t group_in_, group_out_;  // channels of one group
  int64_t k_, pixels_;
  WindowGather<In> gather_;
  Epilogue epilogue_;
  PixelProduct<In, Sum> product_;
  bool gathers_;
  ConvTasks tasks_;
  // Of an output of codes:
  Requantization requantization_{};
  float factor_ = 1;
  ops::Quantization residual_;
};

}  // namespace

Plan plan_conv(const PlanContext& c) {
  using A = ops::ConvAttributes;
  const A a = A::of(c.node);
  if (c.has(A::kWeightScale)) return {nullptr, "int8 weights"};
  const bool nhwc_input = a.layouts.input == ir::Layout::kNhwc, nhwc_output = a.layouts.output == ir::Layout::kNhwc;
  if (c.has(A::kResidual) && !nhwc_output) return {nullptr, "a residual needs an NHWC output"};
  if (!nhwc_input && !nhwc_output) return {nullptr, "NCHW on one side alone"};
  if (c.has(A::kGate) && a.window.taps() != 1) return {nullptr, "a gate needs a 1x1 kernel"};
  if (auto refusal = refuse_epilogue(a.activation, a.layouts.output); !refusal.empty()) return {nullptr, refusal};
  if (a.group != 1 && !nhwc_input) return {nullptr, "groups need NHWC"};
  const int64_t depth = a.depth(ops::dims_of(c.inputs[A::kX].shape, a.layouts.input).channels);
  if (auto refusal = refuse_product(c, depth, a.layouts.output); !refusal.empty()) return {nullptr, refusal};
  if (c.inputs[A::kX].dtype == DType::kBF16 && !nhwc_input) return {nullptr, "bfloat16 windows need NHWC"};
  if (c.outputs[0].dtype != DType::kU8) return plan_typed<Conv>(c, a);
  if (c.inputs[A::kX].dtype == DType::kF32) return {std::make_unique<Conv<float, uint8_t>>(c, a), ""};
  if (c.inputs[A::kX].dtype == DType::kBF16) return {std::make_unique<Conv<Bf16, uint8_t>>(c, a), ""};
  return {nullptr, "neither float32 nor bfloat16"};
}

}  // namespace effdet::kernels::cpu
