// How convolutions are cut into tasks.
#include "kernels/cpu/conv_tasks.h"

#include <gtest/gtest.h>

namespace effdet::kernels::cpu {
namespace {

ConvTasks tasks_of(int64_t pixels, int64_t channels, int64_t depth) {
  return ConvTasks({.pixels = pixels,
                    .channels = channels,
                    .depth = depth,
                    .value_bytes = 4,
                    .columns_first = true,
                    .row_step = 6,
                    .column_step = 64,
                    .any_rows = true,
                    .least_work = 1 << 20});
}

TEST(ConvTasks, FewChannelsAreOneColumn) {
  const ConvTasks tasks = tasks_of(5, 9, 32);
  ASSERT_EQ(tasks.count(), 1);
  EXPECT_EQ(tasks.task(0).rows, 5);
  EXPECT_EQ(tasks.task(0).columns, 9);
}

TEST(ConvTasks, ColumnsHaveWholeStepsHoweverDeepTheLayer) {
  for (const int64_t depth : {1, 100, 1000, 100000}) {
    const ConvTasks tasks = tasks_of(64, 810, depth);
    int64_t values = 0;
    for (int64_t i = 0; i < tasks.count(); ++i) {
      const ConvTasks::Task task = tasks.task(i);
      EXPECT_EQ(task.column % 64, 0) << depth;
      values += task.rows * task.columns;
    }
    EXPECT_EQ(values, 64 * 810) << depth;
  }
}

}  // namespace
}  // namespace effdet::kernels::cpu
