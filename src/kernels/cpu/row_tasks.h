// Output rows as parallel tasks.
#pragma once

#include <algorithm>

#include "base/thread_pool.h"
#include "ops/fused/layout.h"

namespace effdet::kernels::cpu {

/// Calls f(image, first row, end row) in parallel over the rows of a batch of images.
template <typename F>
void for_rows(ThreadPool& threads, const ops::Dims& out, F&& f) {
  constexpr int64_t kTasks = 32;
  const int64_t rows = std::max<int64_t>(1, out.height / kTasks), tasks = (out.height + rows - 1) / rows;
  threads.parallel_for(out.batch * tasks, [&](int64_t task, int) {
    const int64_t row = task % tasks * rows;
    f(task / tasks, static_cast<int>(row), static_cast<int>(std::min(row + rows, out.height)));
  });
}

}  // namespace effdet::kernels::cpu
