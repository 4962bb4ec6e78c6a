// A depthwise convolution and the pointwise one after it, without the map between them in memory: a task convolves a
// tile of the image into scratch and multiplies it by the weights while it is in the cache.
#include <algorithm>
#include <limits>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/depthwise_weights.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/pixel_product.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/depthwise_pointwise.h"

namespace effdet::kernels::cpu {
namespace {

// Scratch that a tile takes; with the input under it, it should stay in the second-level cache.
constexpr int64_t kTileBytes = 320 << 10;
// Columns of a tile in wide maps: whole register tiles of the product. Narrower maps are not cut.
constexpr int64_t kTileColumns = 96, kWide = kTileColumns + 1;
// Tiles an image, where its height allows so many.
constexpr int64_t kTiles = 32;

template <typename T, typename Out>
class DepthwisePointwise : public Kernel {
  using A = ops::DepthwisePointwiseAttributes;

 public:
  DepthwisePointwise(const PlanContext& c, const A& a)
      : micro_(micro_kernels()),
        window_(a.window),
        depthwise_weights_(micro_, window_, c.inputs[A::kDepthwiseWeights].constant),
        depthwise_epilogue_(micro_, a.depthwise_activation),
        epilogue_(micro_, a.activation),
        in_(ops::dims_of(c.inputs[A::kX].shape, a.layouts.input)),
        out_(ops::dims_of(c.outputs[0].shape, a.layouts.output)),
        product_(micro_, in_.channels, out_, a.layouts.output, a.activation.activation, a.products) {
    columns_ = out_.width < kWide ? out_.width : kTileColumns;
    across_ = (out_.width + columns_ - 1) / columns_;
    const int64_t row_bytes = columns_ * in_.channels * static_cast<int64_t>(sizeof(T));
    const int64_t rows_for_balance = out_.height * across_ / kTiles;
    rows_ = std::clamp<int64_t>(std::min(kTileBytes / row_bytes, rows_for_balance), 1, out_.height);
    down_ = (out_.height + rows_ - 1) / rows_;
  }

  size_t scratch_bytes(int threads) const override {
    return (product_.prepared_values() + static_cast<size_t>(threads) * thread_values()) * sizeof(T);
  }

  void run(const RunContext& context) const override {
    product_.prepare(context.threads, context.input<T>(A::kWeights), reinterpret_cast<T*>(context.scratch));
    context.threads.parallel_for(in_.batch * down_ * across_, [&](int64_t task, int thread) {
      T* scratch = reinterpret_cast<T*>(context.scratch) + product_.prepared_values() +
                   static_cast<size_t>(thread) * thread_values();
      const int64_t image = task / (down_ * across_), tile = task % (down_ * across_);
      run_tile(context, image, tile / across_ * rows_, tile % across_ * columns_, scratch);
    });
  }

 private:
  size_t tile_values() const {
    return static_cast<size_t>((rows_ * columns_ * in_.channels + kLineValues - 1) / kLineValues * kLineValues);
  }
  size_t thread_values() const { return tile_values() + product_.scratch_values(rows_ * columns_); }

  void run_tile(const RunContext& context, int64_t image, int64_t row, int64_t column, T* scratch) const {
    const int64_t row_end = std::min(row + rows_, out_.height), column_end = std::min(column + columns_, out_.width);
    const int64_t line = (column_end - column) * in_.channels;
    convolve(context, image, row, row_end, column, column_end, scratch - row * line - column * in_.channels);
    const int64_t map = image * out_.height * out_.width * out_.channels;
    const Out* residual = context.input<Out>(A::kResidual);
    const typename PixelProduct<T, Out>::Maps maps{.weights = context.input<T>(A::kWeights),
                                                   .bias = context.input(A::kBias),
                                                   .residual = residual != nullptr ? residual + map : nullptr,
                                                   .output = context.output<Out>() + map,
                                                   .prepared = reinterpret_cast<T*>(context.scratch)};
    // Rows of a tile that is as wide as the map lie one after the other in the output, too.
    const int64_t runs = across_ == 1 ? 1 : row_end - row, pixels = (row_end - row) * (column_end - column) / runs;
    for (int64_t i = 0; i < runs; ++i) {
      const int64_t pixel = (row + i) * out_.width + column;
      product_.run({scratch + i * line, in_.channels, 1}, pixel, pixels, 0, out_.channels, maps,
                   scratch + tile_values());
      epilogue_.run(maps.output + pixel * out_.channels, pixels, out_.channels, out_.channels);
    }
  }

  /// y is where row 0, column 0 of the convolved map would lie if scratch held the whole of it.
  void convolve(const RunContext& context, int64_t image, int64_t row, int64_t row_end, int64_t column,
                int64_t column_end, T* y) const {
    DepthwiseRows<T> rows = depthwise_rows<T>(window_, in_, depthwise_epilogue_.activation());
    rows.x = context.input<T>(A::kX) + image * in_.height * in_.width * in_.channels;
    rows.bias = context.input(A::kDepthwiseBias);
    rows.y = y;
    rows.channels = rows.x_pixel = rows.weight_tap = rows.y_pixel = static_cast<int>(in_.channels);
    rows.y_row = (column_end - column) * in_.channels;
    set_rectangle(rows, row, row_end, column, column_end);
    depthwise_weights_.run(rows, context.input(A::kDepthwiseWeights), 0);
    depthwise_epilogue_.run(y + row * rows.y_row + column * in_.channels, (row_end - row) * (column_end - column),
                            in_.channels, in_.channels);
  }

  const MicroKernels& micro_;
  ops::Window2d window_;
  DepthwiseWeights<T> depthwise_weights_;
  Epilogue depthwise_epilogue_, epilogue_;
  ops::Dims in_, out_;
  PixelProduct<T, Out> product_;
  int64_t rows_ = 0, columns_ = 0;  // of a tile
  int64_t down_ = 0, across_ = 0;   // tiles of an image
};

}  // namespace

Plan plan_depthwise_pointwise(const PlanContext& c) {
  using A = ops::DepthwisePointwiseAttributes;
  const A a = A::of(c.node);
  if (a.layouts.input != ir::Layout::kNhwc) return {nullptr, "only NHWC input"};
  if (c.has(A::kResidual) && a.layouts.output != ir::Layout::kNhwc) return {nullptr, "a residual needs an NHWC output"};
  if (auto refusal = refuse_epilogue(a.depthwise_activation); !refusal.empty()) return {nullptr, refusal};
  if (auto refusal = refuse_epilogue(a.activation, a.layouts.output); !refusal.empty()) return {nullptr, refusal};
  const ops::Dims out = ops::dims_of(c.outputs[0].shape, a.layouts.output);
  if (out.height * out.width > std::numeric_limits<int>::max()) return {nullptr, "more pixels than a block can count"};
  if (c.inputs[A::kX].dtype == DType::kF32 && c.outputs[0].dtype != DType::kF32)
    return {nullptr, "float32 to bfloat16"};
  const int64_t depth = ops::dims_of(c.inputs[A::kX].shape, a.layouts.input).channels;
  if (auto refusal = refuse_product(c, depth, a.layouts.output); !refusal.empty()) return {nullptr, refusal};
  return plan_typed<DepthwisePointwise>(c, a);
}

}  // namespace effdet::kernels::cpu
