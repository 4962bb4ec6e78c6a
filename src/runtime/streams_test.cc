// Every item is run once, and no stream runs two at the same time.
#include "runtime/streams.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace effdet::runtime {
namespace {

TEST(Streams, ShareThreads) {
  EXPECT_EQ(threads_a_stream(8, 1), 8);
  EXPECT_EQ(threads_a_stream(8, 3), 2);
  EXPECT_EQ(threads_a_stream(2, 4), 1);
}

TEST(Streams, EachItemOnceAndNeverTwoOfOneStream) {
  for (const size_t streams : {1u, 2u, 5u})
    for (const size_t count : {0u, 1u, 3u, 200u}) {
      std::vector<std::atomic<int>> done(count), busy(streams);
      run_streams(streams, count, [&](size_t item, size_t stream) {
        ASSERT_LT(stream, streams);
        EXPECT_EQ(busy[stream]++, 0);
        ++done[item];
        --busy[stream];
      });
      for (const auto& times : done) EXPECT_EQ(times, 1) << streams << ' ' << count;
    }
}

TEST(Streams, AnExceptionEndsThem) {
  std::atomic<int> begun{0};
  EXPECT_THROW(run_streams(3, 1'000'000,
                           [&](size_t item, size_t) {
                             ++begun;
                             if (item == 7) throw std::runtime_error("seven");
                           }),
               std::runtime_error);
  EXPECT_LT(begun, 1'000'000);
}

}  // namespace
}  // namespace effdet::runtime
