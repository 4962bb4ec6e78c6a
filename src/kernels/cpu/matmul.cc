// Matrix products: by packed weights, and of two matrices that the network computes (attention), one of which is packed
// first.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/maps.h"
#include "ops/fused/matmul.h"
#include "ops/matmul.h"
#include "ops/util.h"

namespace effdet::kernels::cpu {
namespace {

// Rows of a task: whole register tiles of every instruction set.
constexpr int64_t kProductRows = 48;
// Products of a task, about.
constexpr int64_t kTaskProducts = 1 << 18;

// Matrices of a product that has a plan: more are so small that plain loops serve them.
constexpr int64_t kMostProducts = 1 << 16;

/// Which matrix of each input is multiplied.
struct Product {
  int64_t a, b;
};

class MatMul : public Kernel {
 public:
  explicit MatMul(const ops::MatMulView& view)
      : micro_(micro_kernels()),
        view_(view),
        panels_((view.n + kPanel - 1) / kPanel),
        bias_(static_cast<size_t>(panels_ * kPanel), 0.0f) {
    ops::for_each_product(view, [this](int64_t a, int64_t b, int64_t) { products_.push_back({a, b}); });
    rows_ = std::clamp(kTaskProducts / (view.k * view.n) / kProductRows * kProductRows, kProductRows,
                       (view.m + kProductRows - 1) / kProductRows * kProductRows);
  }

  size_t scratch_bytes(int) const override {
    return static_cast<size_t>(view_.matrices_b * panels_ * panel_values()) * sizeof(float);
  }

  void run(const RunContext& context) const override {
    float* packed = context.scratch_floats();
    context.threads.parallel_for(view_.matrices_b * panels_, [&](int64_t task, int) {
      pack_panel(context.input(1) + task / panels_ * view_.k * view_.n, task % panels_, packed + task * panel_values());
    });
    const int64_t parts = (view_.m + rows_ - 1) / rows_;
    context.threads.parallel_for(static_cast<int64_t>(products_.size()) * parts, [&](int64_t task, int) {
      const auto [a, b] = products_[static_cast<size_t>(task / parts)];
      multiply(context.input(0) + a * view_.m * view_.k, packed + b * panels_ * panel_values(), task % parts * rows_,
               context.output() + task / parts * view_.m * view_.n);
    });
  }

 private:
  int64_t panel_values() const { return view_.k * kPanel; }

  void pack_panel(const float* b, int64_t panel, float* target) const {
    const int64_t column = panel * kPanel, columns = std::min<int64_t>(kPanel, view_.n - column);
    for (int64_t i = 0; i < view_.k; ++i, target += kPanel) {
      std::copy_n(b + i * view_.n + column, columns, target);
      std::fill(target + columns, target + kPanel, 0.0f);
    }
  }

  /// Rows of a product from `row` on.
  void multiply(const float* a, const float* packed, int64_t row, float* y) const {
    micro_.f32.gemm({.a = a + row * view_.k,
                     .lda = view_.k,
                     .a_step = 1,
                     .b = packed,
                     .b_panel = panel_values(),
                     .bias = bias_.data(),
                     .residual = nullptr,
                     .c = y + row * view_.n,
                     .ldc = view_.n,
                     .m = static_cast<int>(std::min(rows_, view_.m - row)),
                     .n = static_cast<int>(view_.n),
                     .k = static_cast<int>(view_.k),
                     .activation = Activation::kNone,
                     .a_packed = false});
  }

  const MicroKernels& micro_;
  ops::MatMulView view_;
  int64_t panels_, rows_ = kProductRows;
  std::vector<Product> products_;
  std::vector<float> bias_;
};

}  // namespace

Plan plan_matmul(const PlanContext& c) {
  if (c.inputs[0].dtype != DType::kF32) return {nullptr, "only float32"};
  const ops::MatMulView view = ops::matmul_view(c.node, c.inputs[0].shape, c.inputs[1].shape);
  const int64_t products = ops::dims_product(view.matrices.shape, 0, view.matrices.shape.size());
  if (view.m < 1 || view.k < 1 || view.n < 1 || products < 1) return {nullptr, "no values"};
  if (products > kMostProducts) return {nullptr, "too many small matrices"};
  if (std::max({view.m, view.k, view.n}) > ops::kMaxExtent) return {nullptr, "more than an int counts"};
  const int64_t columns = (view.n + kPanel - 1) / kPanel * kPanel;
  if (packs_too_large(view.matrices_b * view.k * columns, view.matrices_b * view.k * view.n))
    return {nullptr, "mostly zeros beside the values"};
  return {std::make_unique<MatMul>(view), ""};
}

Plan plan_fused_matmul(const PlanContext& c) {
  std::vector<ValueInfo> inputs(c.inputs.begin(), c.inputs.end()), outputs(c.outputs.begin(), c.outputs.end());
  inputs[0].shape = ops::as_pixels(inputs[0].shape);
  if (c.has(3)) inputs[3].shape = ops::as_pixels(inputs[3].shape);
  outputs[0].shape = ops::as_pixels(outputs[0].shape);
  const ir::Node conv = ops::as_pointwise_conv(c.node);
  return plan_conv({conv, c.opset, inputs, outputs});
}

}  // namespace effdet::kernels::cpu
