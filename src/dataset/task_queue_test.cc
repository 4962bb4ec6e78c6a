// Order, exceptions and dropped tasks.
#include "dataset/task_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace effdet::dataset {
namespace {

TEST(TaskQueue, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  std::future<void> last;
  TaskQueue queue(1);
  for (int i = 0; i < 100; ++i) last = queue.submit([&order, i] { order.push_back(i); });
  last.get();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(TaskQueue, RethrowsAndGoesOn) {
  TaskQueue queue(2);
  auto bad = queue.submit([] { throw std::runtime_error("bad"); });
  EXPECT_THROW(bad.get(), std::runtime_error);
  std::atomic<int> done{0};
  std::vector<std::future<void>> tasks;
  for (int i = 0; i < 50; ++i) tasks.push_back(queue.submit([&] { ++done; }));
  for (auto& task : tasks) task.get();
  EXPECT_EQ(done, 50);
}

TEST(TaskQueue, DropsWhatHasNotBegun) {
  std::promise<void> begun, gate;
  std::atomic<bool> dropped_ran{false};
  std::future<void> first, dropped;
  std::thread opener;
  {
    TaskQueue queue(1);
    first = queue.submit([&] {
      begun.set_value();
      gate.get_future().wait();
    });
    dropped = queue.submit([&] { dropped_ran = true; });
    begun.get_future().wait();
    // The destructor is waiting for the first task when the second one is already gone.
    opener = std::thread([&] {
      EXPECT_THROW(dropped.get(), std::future_error);
      gate.set_value();
    });
  }
  opener.join();
  first.get();
  EXPECT_FALSE(dropped_ran);
}

}  // namespace
}  // namespace effdet::dataset
