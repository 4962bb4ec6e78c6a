// Transposed convolution as matrix products that write where they belong. Outputs whose rows and columns leave the same
// rest when divided by the strides are a convolution by some of the taps; a row of them lies `stride` pixels apart in
// the output, which the product's C may. Where windows do not overlap, all taps of a row are one product, whose C is
// the output's row as it lies.
#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/conv_transpose.h"

namespace effdet::kernels::cpu {
namespace {

/// Bytes that a thread gathers for a row of outputs, at most.
constexpr size_t kMostGathered = 32 << 20;

int64_t panels_of(int64_t columns) { return (columns + kPanel - 1) / kPanel; }

/// A side of the window, cut by the rest that an output's place leaves.
struct Side {
  int64_t kernel, stride, pad, in, out;

  /// Taps that fall on outputs of a phase: phase, phase + stride, ...
  int64_t taps(int64_t phase) const { return (kernel - phase + stride - 1) / stride; }
  /// The input under the last tap of a phase, for output i of it; those under the taps before are after it.
  int64_t first_input(int64_t output, int64_t phase) const {
    return (output + pad - phase) / stride - (taps(phase) - 1);
  }
  int64_t phase_of(int64_t output) const { return (output + pad) % stride; }
  /// The first output of a phase.
  int64_t first_output(int64_t phase) const { return ((phase - pad) % stride + stride) % stride; }
};

class ConvTranspose : public Kernel {
  using A = ops::ConvTransposeAttributes;

 public:
  ConvTranspose(const PlanContext& c, const A& a)
      : micro_(micro_kernels()),
        epilogue_(micro_, a.activation),
        in_(ops::dims_of(c.inputs[A::kX].shape, a.layout)),
        out_(ops::dims_of(c.outputs[0].shape, a.layout)) {
    const ops::Window2d& w = a.window;
    rows_ = {w.kernel_height, w.stride_y, w.pad_top, in_.height, out_.height};
    columns_ = {w.kernel_width, w.stride_x, w.pad_left, in_.width, out_.width};
    const auto touches = [](const Side& side) {
      return side.kernel == side.stride && side.pad == 0 && side.out == side.in * side.stride;
    };
    apart_ = touches(rows_) && touches(columns_);
    // Columns of a product: channels, of one tap or of a row of them.
    row_columns_ = apart_ ? columns_.kernel * out_.channels : out_.channels;
    pack(*c.inputs[A::kWeights].constant);
    const auto bias = c.inputs[A::kBias].constant->data<float>();
    bias_.resize(static_cast<size_t>(panels_of(row_columns_) * kPanel), 0.0f);
    for (int64_t i = 0; i < row_columns_; ++i)
      bias_[static_cast<size_t>(i)] = bias[static_cast<size_t>(i % out_.channels)];
  }

  size_t scratch_bytes(int threads) const override {
    return apart_ ? 0 : static_cast<size_t>(threads * gather_values()) * sizeof(float);
  }

  void run(const RunContext& context) const override {
    context.threads.parallel_for(in_.batch * out_.height, [&](int64_t task, int thread) {
      const int64_t image = task / out_.height, row = task % out_.height;
      const float* x = context.input(A::kX) + image * in_.height * in_.width * in_.channels;
      float* y = context.output() + task * out_.width * out_.channels;
      if (apart_) {
        multiply(x + row / rows_.stride * in_.width * in_.channels, in_.channels, row % rows_.stride, 0, in_.width, y,
                 row_columns_);
      } else {
        float* windows = context.scratch_floats() + thread * gather_values();
        for (int64_t phase = 0; phase < columns_.stride; ++phase) run_phase(x, row, phase, windows, y);
      }
      epilogue_.run(y, 1, out_.width * out_.channels, out_.width * out_.channels);
    });
  }

 private:
  int64_t phase_index(int64_t row_phase, int64_t column_phase) const {
    return apart_ ? row_phase : row_phase * columns_.stride + column_phase;
  }
  int64_t depth(int64_t row_phase, int64_t column_phase) const {
    return apart_ ? in_.channels : rows_.taps(row_phase) * columns_.taps(column_phase) * in_.channels;
  }
  int64_t gather_values() const {
    const int64_t pixels = (out_.width + columns_.stride - 1) / columns_.stride;
    return (pixels * depth(0, 0) + kLineValues - 1) / kLineValues * kLineValues;
  }

  /// Weights [c, c', kh, kw] as a packed matrix for each phase; its rows are taps and channels in the order of the
  /// input under them. Where windows do not overlap: a matrix for each row of taps.
  void pack(const Tensor& weights) {
    const float* w = weights.data<float>().data();
    const auto weight = [&](int64_t in, int64_t out, int64_t ky, int64_t kx) {
      return w[((in * out_.channels + out) * rows_.kernel + ky) * columns_.kernel + kx];
    };
    const int64_t column_phases = apart_ ? 1 : columns_.stride;
    for (int64_t phase = 0; phase < rows_.stride * column_phases; ++phase) {
      begins_.push_back(static_cast<int64_t>(packed_.size()));
      const int64_t py = phase / column_phases, px = phase % column_phases, k = depth(py, px);
      packed_.resize(packed_.size() + static_cast<size_t>(panels_of(row_columns_) * k * kPanel), 0.0f);
      for (int64_t i = 0; i < k; ++i)
        for (int64_t column = 0; column < row_columns_; ++column) {
          const int64_t channel = i % in_.channels, tap = i / in_.channels;
          const int64_t across = apart_ ? 1 : columns_.taps(px), down = apart_ ? 1 : rows_.taps(py);
          const int64_t ky = apart_ ? py : py + (down - 1 - tap / across) * rows_.stride;
          const int64_t kx = apart_ ? column / out_.channels : px + (across - 1 - tap % across) * columns_.stride;
          packed_[static_cast<size_t>(begins_.back() + (column / kPanel * k + i) * kPanel + column % kPanel)] =
              weight(channel, column % out_.channels, ky, kx);
        }
    }
  }

  /// Outputs of one row whose columns leave the same rest.
  void run_phase(const float* x, int64_t row, int64_t phase, float* windows, float* y) const {
    const int64_t first = columns_.first_output(phase), row_phase = rows_.phase_of(row);
    if (first >= out_.width) return;
    const int64_t pixels = (out_.width - first + columns_.stride - 1) / columns_.stride;
    float* target = windows;
    for (int64_t i = 0; i < pixels; ++i)
      for (int64_t tap = 0; tap < rows_.taps(row_phase); ++tap)
        target = gather(x, rows_.first_input(row, row_phase) + tap,
                        columns_.first_input(first + i * columns_.stride, phase), columns_.taps(phase), target);
    multiply(windows, depth(row_phase, phase), row_phase, phase, pixels, y + first * out_.channels,
             columns_.stride * out_.channels);
  }

  /// `count` pixels of an input row from `column` on, zeros beyond the map; returns what is after them.
  float* gather(const float* x, int64_t row, int64_t column, int64_t count, float* target) const {
    const int64_t channels = in_.channels;
    const bool outside = row < 0 || row >= in_.height;
    const int64_t begin = outside ? count : std::clamp<int64_t>(-column, 0, count);
    const int64_t end = outside ? count : std::clamp<int64_t>(in_.width - column, begin, count);
    std::fill_n(target, begin * channels, 0.0f);
    if (end > begin)
      std::copy_n(x + (row * in_.width + column + begin) * channels, (end - begin) * channels,
                  target + begin * channels);
    std::fill_n(target + end * channels, (count - end) * channels, 0.0f);
    return target + count * channels;
  }

  void multiply(const float* a, int64_t lda, int64_t row_phase, int64_t column_phase, int64_t pixels, float* y,
                int64_t ldc) const {
    const int64_t k = depth(row_phase, column_phase);
    micro_.f32.gemm({.a = a,
                     .lda = lda,
                     .a_step = 1,
                     .b = packed_.data() + begins_[static_cast<size_t>(phase_index(row_phase, column_phase))],
                     .b_panel = k * kPanel,
                     .bias = bias_.data(),
                     .residual = nullptr,
                     .c = y,
                     .ldc = ldc,
                     .m = static_cast<int>(pixels),
                     .n = static_cast<int>(row_columns_),
                     .k = static_cast<int>(k),
                     .activation = epilogue_.activation(),
                     .a_packed = false});
  }

  const MicroKernels& micro_;
  Epilogue epilogue_;
  ops::Dims in_, out_;
  Side rows_{}, columns_{};
  bool apart_ = false;  // windows lie beside each other
  int64_t row_columns_ = 0;
  std::vector<float> packed_, bias_;
  std::vector<int64_t> begins_;  // of each phase's matrix
};

}  // namespace

Plan plan_conv_transpose(const PlanContext& c) {
  using A = ops::ConvTransposeAttributes;
  const A a = A::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (c.inputs[A::kX].dtype != DType::kF32) return {nullptr, "only float32"};
  if (c.inputs[A::kWeights].constant == nullptr || c.inputs[A::kBias].constant == nullptr)
    return {nullptr, "only constant weights"};
  if (a.window.kernel_height < a.window.stride_y || a.window.kernel_width < a.window.stride_x)
    return {nullptr, "gaps between the windows"};
  const Shape& weights = c.inputs[A::kWeights].shape;
  if (packs_too_large(weights[0] * weights[2] * weights[3] * panels_of(weights[1]) * kPanel,
                      c.inputs[A::kWeights].constant->numel()))
    return {nullptr, "weights of mostly zeros"};
  if (auto refusal = refuse_epilogue(a.activation, a.layout); !refusal.empty()) return {nullptr, refusal};
  auto kernel = std::make_unique<ConvTranspose>(c, a);
  if (kernel->scratch_bytes(1) > kMostGathered) return {nullptr, "windows of too many values"};
  return {std::move(kernel), ""};
}

}  // namespace effdet::kernels::cpu
