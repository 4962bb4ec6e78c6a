// Cuts a product into Strassen's seven, and leaves the rest of rows and channels to the plain product.
#include "kernels/cpu/strassen.h"

#include <algorithm>

namespace effdet::kernels::cpu {
namespace {

// The last unit may be narrower than the others, whose halves are as wide as the widest register tile.
constexpr int64_t kLastColumns = 4 * kPanel;
// Rows of a register tile that three panels share.
constexpr int kRowStep = 8;
// With fewer, the sums of weights and of pixels for small tasks take what is saved.
constexpr int64_t kLeastPixels = 2048;
constexpr int kPartials = 4;  // X, U, Y and Z

/// Of so many channels, those that are in units.
int64_t columns_of_units(int64_t channels) {
  const int64_t rest = channels % Strassen::kUnitColumns;
  return channels - rest + (rest >= kLastColumns ? kLastColumns : 0);
}

/// A block of g moved to other rows and columns of C.
GemmBlock<float, float> block_at(const GemmBlock<float, float>& g, int row, int64_t column, int rows, int64_t columns) {
  GemmBlock<float, float> block = g;
  const ptrdiff_t at = row * g.ldc + column;
  block.a += row * g.lda;
  block.b += column / kPanel * g.b_panel;
  block.bias += column;
  if (block.residual != nullptr) block.residual += at;
  block.c += at;
  block.m = rows;
  block.n = static_cast<int>(columns);
  return block;
}

}  // namespace

bool Strassen::fits(int64_t depth, int64_t channels) { return depth % 2 == 0 && channels >= kLastColumns; }

bool Strassen::pays(int64_t pixels, int64_t depth, int64_t channels) {
  return pixels >= kLeastPixels && fits(depth, channels) && depth >= 96 && depth * channels >= 160 * 160;
}

Strassen::Strassen(const MicroKernels& micro, int64_t depth, int64_t channels)
    : micro_(micro), half_(depth / 2), columns_(columns_of_units(channels)) {}

void Strassen::add_weights(int64_t unit, const float* weights, float* sums) const {
  const int64_t begin = unit * kUnitColumns * 2 * half_, quarter = half_ * kPanel;
  const int64_t panels = std::min(kUnitColumns, columns_ - unit * kUnitColumns) / 2 / kPanel;
  for (int64_t panel = 0; panel < panels; ++panel) {
    const float *left = weights + begin + panel * 2 * quarter, *right = left + panels * 2 * quarter;
    Quarters q{.in = {left, right, left + quarter, right + quarter}, .sums = {}, .count = static_cast<int>(quarter)};
    for (int64_t i = 0; i < 4; ++i) q.sums[i] = sums + begin + (i * panels + panel) * quarter;
    micro_.strassen.weight_sums(q);
  }
}

size_t Strassen::scratch_values(int64_t rows) const {
  return static_cast<size_t>(rows / 2 * (4 * half_ + kPartials * kUnitColumns / 2));
}

void Strassen::run(const GemmBlock<float, float>& g, const float* weight_sums, float* scratch) const {
  const int rows = g.m / 2 / kRowStep * kRowStep;  // in each half
  for (int row = 0; row < rows; ++row) {
    const float *upper = g.a + row * g.lda, *lower = upper + rows * g.lda;
    Quarters q{.in = {upper, upper + half_, lower, lower + half_}, .sums = {}, .count = static_cast<int>(half_)};
    for (int i = 0; i < 4; ++i) q.sums[i] = scratch + (i * rows + row) * half_;
    micro_.strassen.pixel_sums(q);
  }
  const int64_t columns = columns_of_units(g.n);
  for (int64_t column = 0; column < columns; column += kUnitColumns)
    run_unit(g, rows, column, std::min(kUnitColumns, columns - column) / 2, weight_sums + column * 2 * half_, scratch);
  if (columns < g.n) micro_.f32.gemm(block_at(g, 0, columns, g.m, g.n - columns));
  if (2 * rows < g.m) micro_.f32.gemm(block_at(g, 2 * rows, 0, g.m - 2 * rows, columns));
}

/// `columns` in each half.
void Strassen::run_unit(const GemmBlock<float, float>& g, int rows, int64_t column, int64_t columns,
                        const float* weight_sums, float* scratch) const {
  static constexpr float kNoBias[kUnitColumns / 2] = {};
  const int64_t quarter = half_ * kPanel;
  const ptrdiff_t size = static_cast<ptrdiff_t>(rows) * columns;
  float* const x = scratch + 4 * rows * half_;
  float *const u = x + size, *const y = u + size, *const z = y + size;

  const auto quarter_of = [&](int i, int j) {
    GemmBlock<float, float> block = block_at(g, i * rows, column + j * columns, rows, columns);
    block.k = static_cast<int>(half_);
    return block;
  };
  // c = act(a b + partial), where act, bias and residual come from a quarter of C...
  const auto finish = [&](GemmBlock<float, float> block, const float* a, ptrdiff_t lda, const float* b,
                          ptrdiff_t b_panel, const float* partial) {
    block.a = a;
    block.lda = lda;
    block.b = b;
    block.b_panel = b_panel;
    block.partial = partial;
    block.ld_partial = columns;
    micro_.f32.gemm(block);
  };
  // ... or there are none.
  const auto add = [&](const float* a, ptrdiff_t lda, const float* b, ptrdiff_t b_panel, const float* partial,
                       float* c) {
    GemmBlock<float, float> block = quarter_of(0, 0);
    block.bias = kNoBias;
    block.residual = nullptr;
    block.c = c;
    block.ldc = columns;
    block.activation = Activation::kNone;
    finish(block, a, lda, b, b_panel, partial);
  };
  const auto sum = [&](int i) { return scratch + i * rows * half_; };
  const auto weight_sum = [&](int i) { return weight_sums + i * columns * half_; };

  const auto c11 = quarter_of(0, 0), c12 = quarter_of(0, 1), c21 = quarter_of(1, 0), c22 = quarter_of(1, 1);
  add(c11.a, g.lda, c11.b, g.b_panel, nullptr, x);
  finish(c11, c11.a + half_, g.lda, c11.b + quarter, g.b_panel, x);
  add(sum(1), half_, weight_sum(1), quarter, x, u);
  add(sum(2), half_, weight_sum(2), quarter, u, y);
  finish(c21, c21.a + half_, g.lda, weight_sum(3), quarter, y);
  add(sum(0), half_, weight_sum(0), quarter, u, z);
  finish(c12, sum(3), half_, c12.b + quarter, g.b_panel, z);
  micro_.strassen.last_quarter({.a = y,
                                .b = z,
                                .c = u,
                                .bias = c22.bias,
                                .residual = c22.residual,
                                .y = c22.c,
                                .ld = columns,
                                .ldy = g.ldc,
                                .rows = rows,
                                .columns = static_cast<int>(columns),
                                .activation = g.activation});
}

}  // namespace effdet::kernels::cpu
