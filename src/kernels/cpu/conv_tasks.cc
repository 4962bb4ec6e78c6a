// Chooses the size of a convolution's tasks.
#include "kernels/cpu/conv_tasks.h"

#include <algorithm>

#include "kernels/cpu/micro_kernels.h"

namespace effdet::kernels::cpu {
namespace {

// Bytes of A that a task goes over again for each group of columns: about half of a second-level cache.
constexpr int64_t kBlockBytes = 256 << 10;
// Many small tasks balance the load on busy machines.
constexpr int64_t kManyTasks = 16;

int64_t to_multiple(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

}  // namespace

ConvTasks::ConvTasks(const Layer& l) : pixels_(l.pixels), channels_(l.channels) {
  const int64_t row_values = l.overlap > 0 ? l.overlap : l.depth;
  rows_ = std::clamp(kBlockBytes / (row_values * l.value_bytes) / l.row_step * l.row_step, l.row_step, 8 * l.row_step);
  rows_ = std::min(rows_, to_multiple(pixels_, l.row_step));
  columns_ = to_multiple(channels_, kPanel);
  if (l.columns_first)
    columns_ = std::min(columns_,
                        std::max(kBlockBytes / (l.depth * l.value_bytes) / l.column_step, int64_t{1}) * l.column_step);
  const auto may_halve = [&] { return count() < kManyTasks && rows_ * columns_ * l.depth / 2 >= l.least_work; };
  // Windows that overlap are few values for their rows: better to go through them again than through the weights.
  while (l.overlap > 0 && columns_ > l.column_step && may_halve()) columns_ = to_multiple(columns_ / 2, l.column_step);
  while (rows_ > l.row_step && may_halve()) rows_ = to_multiple(rows_ / 2, l.row_step);
  // A few rows that are left over would go through all weights once more.
  if (!l.columns_first && l.any_rows) {
    const int64_t parts = std::max<int64_t>(1, (pixels_ + rows_ / 2) / rows_);
    rows_ = (pixels_ + parts - 1) / parts;
  }
  while (columns_ > l.column_step && may_halve()) columns_ = to_multiple(columns_ / 2, l.column_step);
}

ConvTasks::Task ConvTasks::task(int64_t i) const {
  const int64_t row = i / column_tasks() * rows_, column = i % column_tasks() * columns_;
  return {row, std::min(rows_, pixels_ - row), column, std::min(columns_, channels_ - column)};
}

}  // namespace effdet::kernels::cpu
