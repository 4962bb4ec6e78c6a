// A pointwise expansion and the depthwise convolution after it, without the expanded map in memory: a task expands a
// few rows of some channels into scratch, convolves them, and moves on.
#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/cpu/channel_sums.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/depthwise_weights.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/expand_depthwise.h"

namespace effdet::kernels::cpu {
namespace {

// Expanded channels of a task: three panels make the widest register tile of the expansion.
constexpr int64_t kChannels = 3 * kPanel;
// Scratch that a task's expanded rows may take: they should stay in the second-level cache.
constexpr int64_t kScratchBytes = 384 << 10;
// Tasks that an image's rows and channels may be cut into. The parts of the rows are a constant of the shape, since the
// sums of each are added apart and bits must not depend on the number of threads; but neighbouring ones are one task
// where threads have enough to do, as the rows at the borders of a task are expanded twice.
constexpr int64_t kExpandTasks = 24;
// Tasks make up for threads that are held up, so that more of them are worth a little work.
constexpr double kWorthTasks = 1.04;

/// Expanded: the type of the rows in scratch.
template <typename T, typename Expanded>
class ExpandDepthwise : public Kernel {
  using A = ops::ExpandDepthwiseAttributes;

 public:
  ExpandDepthwise(const PlanContext& c, const A& a)
      : micro_(micro_kernels()),
        window_(a.window),
        weights_(micro_, window_, c.inputs[A::kWeights].constant),
        expand_activation_(a.expand_activation),
        activation_(a.activation),
        in_(ops::dims_of(c.inputs[A::kX].shape, a.layout)),
        out_(ops::dims_of(c.outputs[0].shape, a.layout)),
        wants_mean_(c.outputs.size() > 1 && c.outputs[1].present) {
    groups_ = (out_.channels + kChannels - 1) / kChannels;
    const int64_t parts = (kExpandTasks + groups_ - 1) / groups_;
    part_rows_ = (out_.height + parts - 1) / parts;
    parts_ = (out_.height + part_rows_ - 1) / part_rows_;
    const int64_t row_bytes = in_.width * kChannels * static_cast<int64_t>(sizeof(Expanded));
    const int64_t rows = std::max<int64_t>(kScratchBytes / row_bytes, window_.kernel_height);
    step_ = std::clamp<int64_t>((rows - window_.kernel_height) / window_.stride_y + 1, 1, part_rows_);
    rows_ = (step_ - 1) * window_.stride_y + window_.kernel_height;
  }

  size_t scratch_bytes(int threads) const override {
    return sum_floats() * sizeof(float) + static_cast<size_t>(threads) * buffer_values() * sizeof(Expanded);
  }

  void run(const RunContext& context) const override {
    if (wants_mean_) std::fill_n(context.scratch_floats(), sum_floats(), 0.0f);
    const int64_t together = parts_together(context.threads.size()), runs = (parts_ + together - 1) / together;
    // Neighbouring tasks work on the same rows of x.
    context.threads.parallel_for(in_.batch * runs * groups_, [&](int64_t task, int thread) {
      Expanded* buffer = reinterpret_cast<Expanded*>(context.scratch_floats() + sum_floats()) +
                         static_cast<size_t>(thread) * buffer_values();
      const int64_t run = task / groups_, part = run % runs * together;
      run_parts(context, run / runs, part, std::min(part + together, parts_), task % groups_ * kChannels, buffer);
    });
    if (!wants_mean_) return;
    for (int64_t image = 0; image < in_.batch; ++image)
      mean_of_sums(context.scratch_floats() + image * parts_ * out_.channels, parts_, out_.channels,
                   out_.height * out_.width, context.output(1) + image * out_.channels);
  }

 private:
  size_t sum_floats() const { return wants_mean_ ? static_cast<size_t>(in_.batch * parts_ * out_.channels) : 0; }
  size_t buffer_values() const { return static_cast<size_t>(rows_ * in_.width * kChannels); }

  /// Parts that are one task, so that the thread with the most to do expands the fewest rows.
  int64_t parts_together(int threads) const {
    const auto most_rows = [&](int64_t together) {
      const int64_t tasks = in_.batch * ((parts_ + together - 1) / together) * groups_;
      const int64_t rows = (together * part_rows_ - 1) * window_.stride_y + window_.kernel_height;
      return (tasks + threads - 1) / threads * rows;
    };
    int64_t least = most_rows(1);
    for (int64_t together = 2; together <= parts_; ++together) least = std::min(least, most_rows(together));
    int64_t together = 1;
    while (static_cast<double>(most_rows(together)) > kWorthTasks * static_cast<double>(least)) ++together;
    return together;
  }

  /// Parts [part, part_end) of an image's rows, channels [channel, channel + kChannels).
  void run_parts(const RunContext& context, int64_t image, int64_t part, int64_t part_end, int64_t channel,
                 Expanded* buffer) const {
    const int64_t channels = std::min(kChannels, out_.channels - channel), line = in_.width * channels;
    int64_t begin = 0, end = 0;  // input rows that the buffer holds
    for (; part < part_end; ++part) {
      const int64_t last = std::min((part + 1) * part_rows_, out_.height);
      for (int64_t row = part * part_rows_; row < last; row += step_) {
        const int64_t row_end = std::min(row + step_, last);
        const int64_t need = std::max<int64_t>(0, row * window_.stride_y - window_.pad_top);
        const int64_t need_end =
            std::min(in_.height, (row_end - 1) * window_.stride_y - window_.pad_top + window_.kernel_height);
        const int64_t kept = std::max<int64_t>(0, end - need);  // rows that the windows of both steps cover
        if (kept > 0)
          std::memmove(buffer, buffer + (need - begin) * line, static_cast<size_t>(kept * line) * sizeof(Expanded));
        begin = need;
        expand(context, image, begin + kept, need_end, channel, channels, buffer + kept * line);
        end = need_end;
        convolve(context, image, image * parts_ + part, row, row_end, channel, channels, buffer - begin * line);
      }
    }
  }

  void expand(const RunContext& context, int64_t image, int64_t row, int64_t row_end, int64_t channel, int64_t channels,
              Expanded* target) const {
    if (row >= row_end) return;
    gemm(micro_,
         GemmBlock<T, Expanded>{.a = context.input<T>(A::kX) + (image * in_.height + row) * in_.width * in_.channels,
                                .lda = in_.channels,
                                .a_step = 1,
                                .b = context.input<T>(A::kExpandWeights) + channel * padded_depth<T>(in_.channels),
                                .b_panel = padded_depth<T>(in_.channels) * kPanel,
                                .bias = context.input(A::kExpandBias) + channel,
                                .residual = nullptr,
                                .c = target,
                                .ldc = channels,
                                .m = static_cast<int>((row_end - row) * in_.width),
                                .n = static_cast<int>(channels),
                                .k = static_cast<int>(in_.channels),
                                .activation = expand_activation_,
                                .a_packed = false});
  }

  /// x is where input row 0 would lie if the buffer held the whole map; part counts over all images.
  void convolve(const RunContext& context, int64_t image, int64_t part, int64_t row, int64_t row_end, int64_t channel,
                int64_t channels, const Expanded* x) const {
    DepthwiseRows<Expanded, T> rows = depthwise_rows<Expanded, T>(window_, in_, activation_);
    rows.x = x;
    rows.bias = context.input(A::kBias) + channel;
    rows.y = context.output<T>() + image * out_.height * out_.width * out_.channels + channel;
    rows.sums = wants_mean_ ? context.scratch_floats() + part * out_.channels + channel : nullptr;
    rows.channels = rows.x_pixel = static_cast<int>(channels);
    rows.weight_tap = rows.y_pixel = static_cast<int>(out_.channels);
    rows.y_row = out_.width * out_.channels;
    set_rectangle(rows, row, row_end, 0, out_.width);
    weights_.run(rows, context.input(A::kWeights), channel);
  }

  const MicroKernels& micro_;
  ops::Window2d window_;
  DepthwiseWeights<Expanded, T> weights_;
  Activation expand_activation_, activation_;
  ops::Dims in_, out_;
  bool wants_mean_;
  int64_t part_rows_ = 0, parts_ = 0, groups_ = 0;
  int64_t step_ = 0, rows_ = 0;  // output rows of a step, and the input rows under them
};

template <typename T>
using Plain = ExpandDepthwise<T, T>;

}  // namespace

Plan plan_expand_depthwise(const PlanContext& c) {
  using A = ops::ExpandDepthwiseAttributes;
  const A a = A::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  const ops::Dims in = ops::dims_of(c.inputs[A::kX].shape, a.layout);
  if (in.height * in.width > std::numeric_limits<int>::max()) return {nullptr, "more pixels than a block can count"};
  // Where depthwise products are of floats, rows in scratch would be rounded only to be widened again.
  if (c.inputs[A::kX].dtype == DType::kBF16 && c.outputs[0].dtype == DType::kBF16 &&
      micro_kernels().depthwise_by_pairs == nullptr)
    return {std::make_unique<ExpandDepthwise<Bf16, float>>(c, a), ""};
  return plan_typed<Plain>(c, a);
}

}  // namespace effdet::kernels::cpu
