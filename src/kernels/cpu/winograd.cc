// Dense 3x3 convolutions of stride 1 with 16 products for four outputs instead of 36 (A. Lavin and S. Gray, Fast
// algorithms for convolutional neural networks, 2015: F(2x2, 3x3)). With
//         1  0 -1  0           1    0    0
//   B^T = 0  1  1  0     G =  1/2  1/2  1/2     A^T = 1  1  1  0
//         0 -1  1  0          1/2 -1/2  1/2           0  1 -1 -1
//         0  1  0 -1           0    0    1
// a tile of 2x2 outputs is y = A^T ((G g G^T) * (B^T x B)) A, x its 4x4 inputs and g a window's weights; * goes value
// by value, and summed over input channels it is one matrix product for each of the 16 values. Errors grow about
// twofold.
#include <algorithm>
#include <limits>
#include <memory>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/conv.h"

namespace effdet::kernels::cpu {
namespace {

constexpr int64_t kValues = kWinogradValues, kWindow = 9;
// Tiles of a task at most, and what its number of tiles is a multiple of: whole register tiles of the products.
constexpr int64_t kMostTiles = 48, kTileStep = 12;
// Output channels that are multiplied before their sums: widest register tiles, and few enough to stay in the cache.
constexpr int64_t kColumns = 3 * kPanel;
// The bias belongs to the sums after the products.
constexpr float kNoBias[kColumns] = {};
// So that the 16 matrices do not begin at the same place of every cache way.
constexpr int64_t kPlanePadding = 16;
// Fewer channels than these on a side: the sums cost more than the products that they save.
constexpr int64_t kLeastChannels = 24;

/// G g G^T of packed weights: as those, [values][panels][channels][kPanel].
std::shared_ptr<float[]> transform_weights(const Tensor& weights, int64_t panels, int64_t channels) {
  const int64_t matrix = panels * channels * kPanel;
  std::shared_ptr<float[]> result = aligned_array<float>(static_cast<size_t>(kValues * matrix));
  const float* source = weights.data<float>().data();
  const auto by_g = [](float a, float b, float c, float* y, int64_t step) {
    y[0] = a;
    y[step] = (a + b + c) / 2;
    y[2 * step] = (a - b + c) / 2;
    y[3 * step] = c;
  };
  for (int64_t panel = 0; panel < panels; ++panel)
    for (int64_t channel = 0; channel < channels; ++channel)
      for (int64_t lane = 0; lane < kPanel; ++lane) {
        const auto weight = [&](int64_t i, int64_t j) {
          return source[((panel * kWindow + i * 3 + j) * channels + channel) * kPanel + lane];
        };
        float rows[kWinogradSide][3];
        for (int64_t j = 0; j < 3; ++j) by_g(weight(0, j), weight(1, j), weight(2, j), &rows[0][j], 3);
        float* target = result.get() + (panel * channels + channel) * kPanel + lane;
        for (int64_t i = 0; i < kWinogradSide; ++i)
          by_g(rows[i][0], rows[i][1], rows[i][2], target + i * kWinogradSide * matrix, matrix);
      }
  return result;
}

class Winograd : public Kernel {
  using A = ops::ConvAttributes;

 public:
  Winograd(const PlanContext& c, const A& a)
      : micro_(micro_kernels()),
        window_(a.window),
        epilogue_(micro_, a.activation),
        nchw_output_(a.layouts.output != ir::Layout::kNhwc),
        in_(ops::dims_of(c.inputs[A::kX].shape, a.layouts.input)),
        out_(ops::dims_of(c.outputs[0].shape, a.layouts.output)),
        panels_((out_.channels + kPanel - 1) / kPanel),
        across_((out_.width + kWinogradOut - 1) / kWinogradOut),
        tiles_(across_ * ((out_.height + kWinogradOut - 1) / kWinogradOut)),
        weights_(transform_weights(*c.inputs[A::kWeights].constant, panels_, in_.channels)) {}

  size_t scratch_bytes(int threads) const override {
    return static_cast<size_t>(threads * thread_values()) * sizeof(float);
  }

  void run(const RunContext& context) const override {
    const int64_t step = task_tiles(context.threads.size()), tasks = (tiles_ + step - 1) / step;
    context.threads.parallel_for(in_.batch * tasks, [&](int64_t task, int thread) {
      float* scratch = context.scratch_floats() + thread * thread_values();
      const int64_t first = task % tasks * step;
      run_tiles(context, task / tasks, first, std::min(step, tiles_ - first), scratch);
    });
  }

 private:
  int64_t input_plane() const { return kMostTiles * in_.channels + kPlanePadding; }
  int64_t output_plane() const { return kMostTiles * kColumns + kPlanePadding; }
  /// Pixels that become NCHW are finished here.
  static constexpr int64_t kPixelValues = kMostTiles * kWinogradOut * kWinogradOut * kColumns;
  int64_t thread_values() const {
    return kValues * (input_plane() + output_plane()) + (nchw_output_ ? kPixelValues : 0);
  }

  /// Tiles of a task: few enough for all threads to have the same to do, and many, since each goes through all weights.
  /// No result depends on it.
  int64_t task_tiles(int threads) const {
    const auto cost = [&](int64_t step) {
      const int64_t tasks = in_.batch * ((tiles_ + step - 1) / step), turns = (tasks + threads - 1) / threads;
      return turns * (step + kTileStep / 2);
    };
    int64_t best = kMostTiles;
    for (int64_t step = kMostTiles - kTileStep; step > 0; step -= kTileStep)
      if (cost(step) < cost(best)) best = step;
    return best;
  }

  void run_tiles(const RunContext& context, int64_t image, int64_t first, int64_t count, float* v) const {
    const WinogradTiles tiles{static_cast<int>(first), static_cast<int>(count), static_cast<int>(across_)};
    micro_.winograd.input({.tiles = tiles,
                           .x = context.input(A::kX) + image * in_.height * in_.width * in_.channels,
                           .height = static_cast<int>(in_.height),
                           .width = static_cast<int>(in_.width),
                           .channels = static_cast<int>(in_.channels),
                           .pad_top = window_.pad_top,
                           .pad_left = window_.pad_left,
                           .v = v,
                           .plane = input_plane()});
    float* m = v + kValues * input_plane();
    for (int64_t column = 0; column < out_.channels; column += kColumns) {
      const int64_t columns = std::min(kColumns, out_.channels - column);
      multiply(v, count, column, columns, m);
      WinogradOutput output{.tiles = tiles,
                            .m = m,
                            .plane = output_plane(),
                            .bias = context.input(A::kBias) + column,
                            .residual = nullptr,
                            .y = context.output() + image * out_.height * out_.width * out_.channels,
                            .pixel = out_.channels,
                            .height = static_cast<int>(out_.height),
                            .width = static_cast<int>(out_.width),
                            .channels = static_cast<int>(columns),
                            .activation = epilogue_.activation()};
      if (nchw_output_) {
        output.y += column * out_.height * out_.width;
        write_nchw(output, m + kValues * output_plane());
        continue;
      }
      output.y += column;
      if (const float* residual = context.input(A::kResidual))
        output.residual = residual + (output.y - context.output());
      micro_.winograd.output(output);
    }
    if (epilogue_.has_steps())
      run_epilogue(context.output() + image * out_.height * out_.width * out_.channels, first, count);
  }

  /// On the outputs of some tiles of an NHWC map: two rows for each row of tiles.
  void run_epilogue(float* y, int64_t first, int64_t count) const {
    for (int64_t done = 0, tiles; done < count; done += tiles) {
      const int64_t row = (first + done) / across_ * kWinogradOut, across = (first + done) % across_;
      tiles = std::min(across_ - across, count - done);
      const int64_t column = across * kWinogradOut, columns = std::min(tiles * kWinogradOut, out_.width - column);
      for (int64_t i = row; i < std::min(row + kWinogradOut, out_.height); ++i)
        epilogue_.run(y + (i * out_.width + column) * out_.channels, columns, out_.channels, out_.channels);
    }
  }

  /// As the micro-kernel, but y is NCHW: tiles beside each other become a map of two rows, which is transposed.
  void write_nchw(const WinogradOutput& all, float* pixels) const {
    const int64_t channels = all.channels;
    for (int64_t done = 0, count; done < all.tiles.count; done += count) {
      const int64_t index = all.tiles.first + done, across = index % across_;
      const int64_t row = index / across_ * kWinogradOut, column = across * kWinogradOut;
      count = std::min(across_ - across, all.tiles.count - done);
      const int64_t rows = std::min<int64_t>(kWinogradOut, out_.height - row),
                    columns = std::min(count * kWinogradOut, out_.width - column);
      WinogradOutput run = all;
      run.tiles = {0, static_cast<int>(count), static_cast<int>(count)};
      run.m += done * channels;
      run.y = pixels;
      run.pixel = channels;
      run.height = static_cast<int>(rows);
      run.width = static_cast<int>(columns);
      micro_.winograd.output(run);
      for (int64_t i = 0; i < rows; ++i)
        micro_.transpose(pixels + i * columns * channels, channels, all.y + (row + i) * out_.width + column,
                         out_.height * out_.width, static_cast<int>(columns), all.channels);
    }
  }

  /// Output channels [column, column + columns) of the 16 products, for `count` tiles.
  void multiply(const float* v, int64_t count, int64_t column, int64_t columns, float* m) const {
    const int64_t panel = in_.channels * kPanel;
    for (int64_t value = 0; value < kValues; ++value)
      micro_.f32.gemm({.a = v + value * input_plane(),
                       .lda = in_.channels,
                       .a_step = 1,
                       .b = weights_.get() + value * panels_ * panel + column / kPanel * panel,
                       .b_panel = panel,
                       .bias = kNoBias,
                       .residual = nullptr,
                       .c = m + value * output_plane(),
                       .ldc = columns,
                       .m = static_cast<int>(count),
                       .n = static_cast<int>(columns),
                       .k = static_cast<int>(in_.channels),
                       .activation = Activation::kNone,
                       .a_packed = false});
  }

  const MicroKernels& micro_;
  ops::Window2d window_;
  Epilogue epilogue_;
  bool nchw_output_;
  ops::Dims in_, out_;
  int64_t panels_, across_, tiles_;  // of the weights; in a row, and in an image
  std::shared_ptr<const float[]> weights_;
};

/// Whether four ninths of the products, and the tiles that hang over the map, are less than what is to be done without.
bool pays(const ops::Dims& in, const ops::Dims& out) {
  const int64_t tiles = ((out.width + 1) / 2) * ((out.height + 1) / 2);
  return std::min(in.channels, out.channels) >= kLeastChannels && tiles >= kTileStep &&
         3 * kValues * tiles < 2 * kWindow * out.height * out.width;
}

}  // namespace

Plan plan_winograd(const PlanContext& c) {
  using A = ops::ConvAttributes;
  const A a = A::of(c.node);
  const ops::Window2d& window = a.window;
  if (window.kernel_height != 3 || window.kernel_width != 3 || window.stride_x != 1 || window.stride_y != 1)
    return {nullptr, "only 3x3 windows of stride 1"};
  if (a.group != 1) return {nullptr, "no groups"};
  if (c.has(A::kWeightScale)) return {nullptr, "int8 weights"};
  if (a.layouts.input != ir::Layout::kNhwc) return {nullptr, "only NHWC input"};
  if (c.has(A::kResidual) && a.layouts.output != ir::Layout::kNhwc) return {nullptr, "a residual needs an NHWC output"};
  if (auto refusal = refuse_epilogue(a.activation, a.layouts.output); !refusal.empty()) return {nullptr, refusal};
  if (c.inputs[A::kX].dtype != DType::kF32 || c.outputs[0].dtype != DType::kF32) return {nullptr, "only float32"};
  if (c.inputs[A::kWeights].constant == nullptr) return {nullptr, "only constant weights"};
  const ops::Dims in = ops::dims_of(c.inputs[A::kX].shape, a.layouts.input),
                  out = ops::dims_of(c.outputs[0].shape, a.layouts.output);
  if (out.height * out.width > std::numeric_limits<int>::max()) return {nullptr, "more pixels than a block can count"};
  if (a.products == ops::Products::kAny ? !pays(in, out) : a.products != ops::Products::kWinograd)
    return {nullptr, "products alone are faster"};
  return {std::make_unique<Winograd>(c, a), ""};
}

}  // namespace effdet::kernels::cpu
