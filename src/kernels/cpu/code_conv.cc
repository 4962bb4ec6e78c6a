// Convolution of 8-bit codes by int8 weights, as matrix multiplication. Pointwise layers multiply the map as it lies,
// where its pixels are whole quads of channels; others gather a few rows of windows at a time, with the zero point
// around the map. What the zero point adds to the sums goes into the bias.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "kernels/cpu/code_products.h"
#include "kernels/cpu/conv_tasks.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/requantization.h"
#include "kernels/cpu/typed.h"
#include "kernels/cpu/window_gather.h"
#include "ops/fused/conv.h"

namespace effdet::kernels::cpu {
namespace {

/// Packed weights as they are: panels [quads of k][kPanel][kQuad].
struct CodeWeights {
  explicit CodeWeights(const Tensor& weights)
      : values(weights.data<int8_t>().data()), panels(weights.dim(0)), depth(weights.dim(1)) {}

  /// Calls f(channel, k, weight) for each.
  template <typename F>
  void for_each(F&& f) const {
    const int8_t* weight = values;
    for (int64_t panel = 0; panel < panels; ++panel)
      for (int64_t quad = 0; quad < depth; quad += kQuad)
        for (int64_t channel = 0; channel < kPanel; ++channel)
          for (int64_t k = 0; k < kQuad; ++k) f(panel * kPanel + channel, quad + k, *weight++);
  }

  const int8_t* values;
  int64_t panels, depth;
};

/// The largest magnitude of a channel's sums, by the sum of its weights' magnitudes.
double largest_sum(const PlanContext& c, const ops::ConvAttributes& a, int64_t channel, double magnitudes) {
  using A = ops::ConvAttributes;
  const double bias = std::abs(double{static_cast<float>(c.inputs[A::kBias].constant->data<int32_t>()[channel])});
  const double scale = a.x->scale * double{c.inputs[A::kWeightScale].constant->data<float>()[channel]};
  const double sum = (255 * magnitudes + bias) * std::abs(scale);
  return sum + (a.residual ? 255.0 * a.residual->scale : 0);
}

/// Why vectors cannot round the sums of a layer; empty where they can.
std::string refuse_sums(const PlanContext& c, const ops::ConvAttributes& a) {
  const CodeWeights weights(*c.inputs[ops::ConvAttributes::kWeights].constant);
  std::vector<double> magnitudes(static_cast<size_t>(weights.panels * kPanel));
  weights.for_each([&](int64_t channel, int64_t, int weight) { magnitudes[channel] += std::abs(weight); });
  const ops::Requantizer requantizer(a.activation.activation, *a.y);
  for (size_t i = 0; i < magnitudes.size(); ++i)  // each by itself: a sum that is no number fits nowhere
    if (!requantizer.fits(largest_sum(c, a, static_cast<int64_t>(i), magnitudes[i]) * requantizer.multiplier(1)))
      return "sums beyond what 32 bits hold";
  return "";
}

void multiply_codes(const CodeProducts& products, const CodeBlock<uint8_t>& block) { products.to_codes(block); }
void multiply_codes(const CodeProducts& products, const CodeBlock<float>& block) { products.to_floats(block); }
void multiply_codes(const CodeProducts& products, const CodeBlock<Bf16>& block) { products.to_bf16(block); }

template <typename Out>
class CodeConv : public Kernel {
  using A = ops::ConvAttributes;
  static constexpr bool kToCodes = std::is_same_v<Out, uint8_t>;

 public:
  CodeConv(const PlanContext& c, const A& a)
      : micro_(micro_kernels()),
        products_(*micro_.code_products),
        in_(ops::dims_of(c.inputs[A::kX].shape, a.layouts.input)),
        out_(ops::dims_of(c.outputs[0].shape, a.layouts.output)),
        group_in_(a.group_channels(in_.channels)),
        group_out_(out_.channels / a.group),
        depth_(a.depth(in_.channels)),
        whole_depth_(padded_depth<uint8_t>(depth_)),
        pixels_(out_.height * out_.width),
        nchw_output_(a.layouts.output != ir::Layout::kNhwc),
        gathers_(!a.window.is_pointwise() || depth_ != whole_depth_),
        gather_(a.window, in_, out_, a.layouts.input, group_in_, static_cast<uint8_t>(a.x->zero_point)),
        epilogue_(micro_, a.activation),
        tasks_({.pixels = pixels_,
                .channels = out_.channels,
                .depth = whole_depth_,
                .value_bytes = 1,
                .columns_first = nchw_output_,
                .row_step = 3 * kPanel,
                .column_step = 4 * kPanel,
                .any_rows = true,
                .least_work = 1 << 20}) {
    const CodeWeights weights(*c.inputs[A::kWeights].constant);
    choose_scales(c, a);
    choose_start(c, a, weights);
    if (products_.pairs) widen_weights(weights);
  }

  size_t scratch_bytes(int threads) const override { return thread_bytes() * static_cast<size_t>(threads); }

  void run(const RunContext& context) const override {
    for (int64_t image = 0; image < in_.batch; ++image)
      context.threads.parallel_for(
          tasks_.count(), [&](int64_t task, int thread) { multiply(context, image, tasks_.task(task), thread); });
  }

 private:
  void choose_scales(const PlanContext& c, const A& a) {
    std::optional<ops::Requantizer> requantizer;
    if constexpr (kToCodes) {
      requantizer.emplace(a.activation.activation, *a.y);
      requantization_ = requantization(*requantizer);
    }
    const auto multiplier = [&](float scale) { return requantizer ? requantizer->multiplier(scale) : scale; };
    for (const float scale : c.inputs[A::kWeightScale].constant->data<float>())
      scales_.push_back(multiplier(a.x->scale * scale));
    residual_scale_ = multiplier(a.residual ? a.residual->scale : 1.0f);
    residual_zero_point_ = a.residual ? a.residual->zero_point : 0;
  }

  /// Modulo 2^32, as the sums.
  void choose_start(const PlanContext& c, const A& a, const CodeWeights& weights) {
    std::vector<uint32_t> start;
    for (const int32_t bias : c.inputs[A::kBias].constant->data<int32_t>())
      start.push_back(static_cast<uint32_t>(bias));
    weights.for_each([&](int64_t channel, int64_t, int weight) {
      start[static_cast<size_t>(channel)] -= static_cast<uint32_t>(weight * a.x->zero_point);
    });
    start_.assign(start.begin(), start.end());
  }

  void widen_weights(const CodeWeights& weights) {
    pairs_ = aligned_array<int16_t>(static_cast<size_t>(weights.panels * kPanel * weights.depth));
    weights.for_each([&](int64_t channel, int64_t k, int8_t weight) {
      const int64_t pair = (channel / kPanel * weights.depth + k) / 2;
      pairs_[(pair * kPanel + channel % kPanel) * 2 + k % 2] = weight;
    });
  }

  /// Bytes of a value as it is multiplied.
  int64_t value_bytes() const { return products_.pairs ? 2 : 1; }
  /// Words of a panel of weights, and of packed pixels.
  int64_t panel_words() const { return whole_depth_ * value_bytes() / kQuad * kPanel; }
  int64_t whole_rows() const { return (tasks_.most_rows() + kPanel - 1) / kPanel * kPanel; }
  /// Of the rows of a task, as many bytes a value as given; whole cache lines.
  size_t rows_bytes(int64_t bytes) const {
    return static_cast<size_t>((whole_rows() * whole_depth_ * bytes + 63) / 64 * 64);
  }
  size_t gather_bytes() const { return gathers_ ? rows_bytes(1) : 0; }
  size_t wide_bytes() const { return products_.pairs ? rows_bytes(2) : 0; }
  size_t thread_bytes() const { return gather_bytes() + wide_bytes() + (nchw_output_ ? rows_bytes(value_bytes()) : 0); }

  void multiply(const RunContext& context, int64_t image, const ConvTasks::Task& task, int thread) const {
    std::byte* scratch = context.scratch + thread_bytes() * static_cast<size_t>(thread);
    const uint8_t* x = context.input<uint8_t>(A::kX) + image * in_.channels * in_.height * in_.width;
    for (int64_t column = task.column, end = column + task.columns, next; column < end; column = next) {
      const int64_t group = column / group_out_;
      next = std::min(end, (group + 1) * group_out_);
      const uint8_t* from = x + group * group_in_;
      const Pixels<uint8_t> pixels =
          gathers_ ? gather_.gather(from, task.row, task.rows, reinterpret_cast<uint8_t*>(scratch))
                   : Pixels<uint8_t>{from + task.row * in_.channels, in_.channels, 1};
      multiply_columns(context, image, {task.row, task.rows, column, next - column}, pixels, scratch + gather_bytes());
    }
  }

  void multiply_columns(const RunContext& context, int64_t image, const ConvTasks::Task& task,
                        const Pixels<uint8_t>& pixels, std::byte* scratch) const {
    const int64_t row = nchw_output_ ? 1 : out_.channels, column = nchw_output_ ? pixels_ : 1;
    const int64_t at = image * pixels_ * out_.channels + task.row * row + task.column * column;
    const Out* residual = context.input<Out>(A::kResidual);
    CodeBlock<Out> block{.a = pixels.data,
                         .lda = pixels.row,
                         .b = weights(context) + task.column / kPanel * panel_words(),
                         .b_panel = panel_words(),
                         .start = start_.data() + task.column,
                         .scale = scales_.data() + task.column,
                         .residual = residual != nullptr ? residual + at : nullptr,
                         .residual_scale = residual_scale_,
                         .residual_zero_point = residual_zero_point_,
                         .c = context.output<Out>() + at,
                         .ldc = nchw_output_ ? column : row,
                         .m = static_cast<int>(task.rows),
                         .n = static_cast<int>(task.columns),
                         .k = static_cast<int>(depth_),
                         .activation = epilogue_.activation(),
                         .requantization = &requantization_,
                         .wide = reinterpret_cast<int16_t*>(scratch)};
    if constexpr (std::is_same_v<Out, float>) {
      if (nchw_output_) {
        pack(block, scratch);
        return products_.to_columns(block);
      }
    }
    multiply_codes(products_, block);
    if constexpr (!kToCodes) epilogue_.run(block.c, task.rows, task.columns, out_.channels);
  }

  const uint32_t* weights(const RunContext& context) const {
    return products_.pairs ? reinterpret_cast<const uint32_t*>(pairs_.get()) : context.input<uint32_t>(A::kWeights);
  }

  /// Pixels as weights are: words of k move together, as floats would.
  template <typename T>
  void pack(CodeBlock<T>& block, std::byte* scratch) const {
    const int64_t words = panel_words() / kPanel;
    auto* packed = reinterpret_cast<float*>(scratch + wide_bytes());
    for (int64_t row = 0; row < block.m; row += kPanel) {
      const int rows = static_cast<int>(std::min<int64_t>(kPanel, block.m - row));
      const uint8_t* pixels = block.a + row * block.lda;
      ptrdiff_t stride = block.lda / kQuad;
      if (products_.pairs) {
        for (int64_t i = 0; i < rows; ++i)
          products_.widen(pixels + i * block.lda, block.wide + i * whole_depth_, whole_depth_);
        pixels = reinterpret_cast<const uint8_t*>(block.wide);
        stride = words;
      }
      micro_.transpose(reinterpret_cast<const float*>(pixels), stride, packed + row * words, kPanel, rows,
                       static_cast<int>(words));
    }
    block.a = reinterpret_cast<const uint8_t*>(packed);
    block.lda = panel_words() * kQuad;
  }

  const MicroKernels& micro_;
  const CodeProducts& products_;
  ops::Dims in_, out_;
  int64_t group_in_, group_out_;  // channels of one group
  int64_t depth_, whole_depth_;   // values under a window, and those of whole quads
  int64_t pixels_;
  bool nchw_output_, gathers_;
  WindowGather<uint8_t> gather_;
  Epilogue epilogue_;
  ConvTasks tasks_;
  std::vector<int32_t> start_;
  std::vector<float> scales_;
  float residual_scale_ = 1;
  int residual_zero_point_ = 0;
  Requantization requantization_{};
  std::shared_ptr<int16_t[]> pairs_;
};

}  // namespace

Plan plan_code_conv(const PlanContext& c) {
  using A = ops::ConvAttributes;
  const A a = A::of(c.node);
  if (c.inputs[A::kX].dtype != DType::kU8) return {nullptr, "only uint8"};
  const bool nhwc_output = a.layouts.output == ir::Layout::kNhwc;
  const DType out = c.outputs[0].dtype;
  if (a.layouts.input != ir::Layout::kNhwc) return {nullptr, "codes need NHWC"};
  if (!nhwc_output && out != DType::kF32) return {nullptr, "NCHW is written in float32 alone"};
  if (!nhwc_output && c.has(A::kResidual)) return {nullptr, "a residual needs an NHWC output"};
  for (const size_t i : {A::kWeights, A::kBias, A::kWeightScale})
    if (c.inputs[i].constant == nullptr) return {nullptr, "only constant weights"};
  if (auto refusal = refuse_epilogue(a.activation, a.layouts.output); !refusal.empty()) return {nullptr, refusal};
  if (out == DType::kF32) return {std::make_unique<CodeConv<float>>(c, a), ""};
  if (out == DType::kBF16) return {std::make_unique<CodeConv<Bf16>>(c, a), ""};
  if (auto refusal = refuse_sums(c, a); !refusal.empty()) return {nullptr, refusal};
  return {std::make_unique<CodeConv<uint8_t>>(c, a), ""};
}

}  // namespace effdet::kernels::cpu
