// A process of its own for a part of a test.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace effdet::test {

/// Runs the task in a child process, which ends with the code that it returns; how it ended, as waitpid() tells: 0 for
/// code 0.
template <typename Task>
int state_of_child(Task&& task) {
  const pid_t child = ::fork();
  if (child == 0) std::_Exit(task());
  int state = -1;
  EXPECT_TRUE(child > 0 && ::waitpid(child, &state, 0) == child);
  return state;
}

}  // namespace effdet::test
