// Threads of processes that share a machine.
#include "core_share.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace effdet::cli {
namespace {

TEST(CoreShare, IsThatOfTheBindingOrAnEvenOne) {
  EXPECT_EQ(threads_of_share({.bound = 8, .machine = 8}, 1), 8);
  EXPECT_EQ(threads_of_share({.bound = 8, .machine = 8}, 3), 2);
  EXPECT_EQ(threads_of_share({.bound = 8, .machine = 8}, 20), 1);
  EXPECT_EQ(threads_of_share({.bound = 8, .machine = 8}, 0), 8);  // not known
  EXPECT_EQ(threads_of_share({.bound = 1, .machine = 8}, 2), 1);  // mpirun -np 2
  EXPECT_EQ(fair_share({.bound = 1, .machine = 8}, 2), 4);
}

TEST(CoreShare, SeesWhatTheProcessIsBoundTo) {
  const Cores before = cores_of_process();
  EXPECT_GE(before.machine, before.bound);
  cpu_set_t all, one;
  ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
  CPU_ZERO(&one);
  for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core)
    if (CPU_ISSET(core, &all)) CPU_SET(core, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  const Cores bound = cores_of_process();
  EXPECT_EQ(cores_of_process().bound, 1);  // asking has not changed it
  ASSERT_EQ(::sched_setaffinity(0, sizeof all, &all), 0);
  EXPECT_EQ(bound.bound, 1);
  EXPECT_EQ(bound.machine, before.machine);
}

}  // namespace
}  // namespace effdet::cli
