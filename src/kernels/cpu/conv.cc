// Convolution as matrix multiplication. Pointwise layers multiply the activation as it lies; others gather a few rows
// of windows at a time. Groups follow each other. A squeeze-excite gate goes into a copy of the weights, which are
// fewer than the pixels.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/pixel_product.h"
#include "kernels/cpu/typed.h"
#include "kernels/cpu/window_gather.h"
#include "ops/fused/conv.h"

namespace effdet::kernels::cpu {
namespace {

// Bytes of A that a task goes over again for each group of columns: about half of a second-level cache.
constexpr int64_t kBlockBytes = 256 << 10;

int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

template <typename In, typename Out>
class Conv : public Kernel {
  using A = ops::ConvAttributes;

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
        product_(micro_, k_, out_, a.layouts.output, a.activation.activation,
                 a.group == 1 ? a.products : ops::Products::kDirect) {
    const bool unit_window =
        window_.kernel_height == 1 && window_.kernel_width == 1 && window_.stride_x == 1 && window_.stride_y == 1;
    gathers_ = a.layouts.input != ir::Layout::kNhwc || !(unit_window || lies_in_lines());
    overlaps_ = !gathers_ && pixel_stride() < k_;
    choose_tasks();
  }

  size_t scratch_bytes(int threads) const override {
    return (step_values() + thread_values() * static_cast<size_t>(threads)) * sizeof(In);
  }

  void run(const RunContext& context) const override {
    if (!gated_) product_.prepare(context.threads, context.input<In>(A::kWeights), prepared(context));
    for (int64_t image = 0; image < in_.batch; ++image) run_image(context, image);
  }

 private:
  static constexpr int64_t kBytes = sizeof(In);

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

  /// Large layers are cut by rows, small ones with many channels by columns too.
  void choose_tasks() {
    // Multiples of these, so that register tiles are full but for the last.
    const int64_t row_step = product_.row_step(), column_step = product_.column_step();
    const int64_t row_values = overlaps_ ? pixel_stride() : k_;
    rows_ = std::clamp(kBlockBytes / (row_values * kBytes) / row_step * row_step, row_step, 8 * row_step);
    rows_ = std::min(rows_, round_up(pixels_, row_step));
    columns_ = round_up(out_.channels, kPanel);
    if (nchw_output_)  // the weights are gone through for each group of pixels
      columns_ = std::clamp(kBlockBytes / (k_ * kBytes) / column_step * column_step, column_step, columns_);
    // Many small tasks balance the load on busy machines.
    constexpr int64_t kTasks = 16;
    // Windows that overlap are few values for their rows: better to go through them again than through the weights.
    while (overlaps_ && tasks() < kTasks && columns_ > column_step &&
           rows_ * columns_ * k_ / 2 >= product_.least_work())
      columns_ = round_up(columns_ / 2, column_step);
    while (tasks() < kTasks && rows_ > row_step && rows_ * columns_ * k_ / 2 >= product_.least_work())
      rows_ = round_up(rows_ / 2, row_step);
    // A few rows that are left over would go through all weights once more.
    if (!nchw_output_ && product_.takes_any_rows()) {
      const int64_t parts = std::max<int64_t>(1, (pixels_ + rows_ / 2) / rows_);
      rows_ = (pixels_ + parts - 1) / parts;
    }
    while (tasks() < kTasks && columns_ > column_step && rows_ * columns_ * k_ / 2 >= product_.least_work())
      columns_ = round_up(columns_ / 2, column_step);
  }

  int64_t row_tasks() const { return (pixels_ + rows_ - 1) / rows_; }
  int64_t column_tasks() const { return (out_.channels + columns_ - 1) / columns_; }
  int64_t tasks() const { return row_tasks() * column_tasks(); }
  int64_t panels() const { return (out_.channels + kPanel - 1) / kPanel; }
  size_t gate_values() const { return gated_ ? static_cast<size_t>(panels() * padded_depth<In>(k_) * kPanel) : 0; }
  /// What all threads share: gated weights, and what the product prepares.
  size_t step_values() const { return gate_values() + product_.prepared_values(); }
  In* prepared(const RunContext& context) const { return reinterpret_cast<In*>(context.scratch) + gate_values(); }
  size_t gather_values() const { return gathers_ ? static_cast<size_t>(round_up(rows_ * k_, kLineValues)) : 0; }
  size_t thread_values() const { return gather_values() + product_.scratch_values(rows_); }

  void run_image(const RunContext& context, int64_t image) const {
    const In* weights = context.input<In>(A::kWeights);
    if (gated_) {
      weights = gate_weights(context, image);
      product_.prepare(context.threads, weights, prepared(context));
    }
    const int64_t tasks_across = column_tasks();
    context.threads.parallel_for(tasks(), [&](int64_t task, int thread) {
      multiply(context, image, weights, task / tasks_across * rows_, task % tasks_across * columns_, thread);
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

  void multiply(const RunContext& context, int64_t image, const In* weights, int64_t row, int64_t column,
                int thread) const {
    const int64_t rows = std::min(rows_, pixels_ - row), columns = std::min(columns_, out_.channels - column);
    In* scratch =
        reinterpret_cast<In*>(context.scratch) + step_values() + thread_values() * static_cast<size_t>(thread);
    const In* x = context.input<In>(A::kX) + image * in_.channels * in_.height * in_.width;
    const int64_t map = image * pixels_ * out_.channels;
    const Out* residual = context.input<Out>(A::kResidual);
    for (int64_t end = column + columns, next; column < end; column = next) {
      const int64_t group = column / group_out_;
      next = std::min(end, (group + 1) * group_out_);
      const In* from = x + group * group_in_;
      const Pixels<In> pixels = gathers_ ? gather_.gather(from, row, rows, scratch)
                                         : Pixels<In>{from + row * pixel_stride(), pixel_stride(), 1};
      product_.run(pixels, row, rows, column, next - column,
                   {.weights = weights,
                    .bias = context.input(A::kBias),
                    .residual = residual != nullptr ? residual + map : nullptr,
                    .output = context.output<Out>() + map,
                    .prepared = prepared(context)},
                   scratch + gather_values());
      epilogue_.run(context.output<Out>() + map + row * out_.channels + column, rows, next - column, out_.channels);
    }
  }

  const MicroKernels& micro_;
  ops::Window2d window_;
  bool nchw_output_, gated_, gathers_ = false, overlaps_ = false;
  ops::Dims in_, out_;
  int64_t group_in_, group_out_;  // channels of one group
  int64_t k_, pixels_;
  WindowGather<In> gather_;
  Epilogue epilogue_;
  PixelProduct<In, Out> product_;
  int64_t rows_ = 0, columns_ = 0;
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
  return plan_typed<Conv>(c, a);
}

}  // namespace effdet::kernels::cpu
